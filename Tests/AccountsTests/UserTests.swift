import Audit
import Domain
import Testing

@testable import Accounts

@Suite struct UserTests {
    @Test func `a user is created once, by whom the audit log says`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li", .student, studentID: "0042")
        await expect(.userExists) { try await fixture.create("li", .admin) }
        let user = try #require(try await fixture.accounts.user("li"))
        #expect(user.role == .student)
        #expect(user.studentID == "0042")
        #expect(try await fixture.accounts.user("wang") == nil)
        let entries = try await fixture.audit()
        #expect(entries.map(\.action) == [.userCreated])
        #expect(entries[0].actor == "root")
        #expect(entries[0].subject == "user/li")
        #expect(entries[0].details == ["role": "student", "student_id": "0042"])
    }

    @Test func `users are listed by name, page by page`() async throws {
        let fixture = try AccountsFixture()
        let names = (0..<23).map { "user\($0 * 7 % 23)" }
        for (index, name) in names.enumerated() {
            try await fixture.create(UserID(name), index.isMultiple(of: 2) ? .teacher : .marker)
        }
        func all(_ role: Role?) async throws -> [String] {
            var found: [String] = []
            var cursor: String?
            repeat {
                let page = try await fixture.accounts.users(role: role, cursor: cursor, limit: 5)
                found += page.users.map(\.id.rawValue)
                cursor = page.nextCursor
            } while cursor != nil
            return found
        }
        #expect(try await all(nil) == names.sorted())
        #expect(try await all(.marker).count == 11)
        #expect(try await all(.admin).isEmpty)
    }

    @Test(arguments: ["role", "password", "student_id", "disabled"])
    func `a change of what a user may do voids what was granted, and is written without the password`(
        part: String
    ) async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li", .student, studentID: "1")
        let before = try await fixture.now()
        let (user, revocation) = try await fixture.change("li") { user in
            switch part {
            case "role": user.role = .marker
            case "password": user.passwordHash = "another hash"
            case "student_id": user.studentID = "2"
            default: user.disabledAt = .now
            }
        }
        guard case .user("li", let time) = revocation else {
            Issue.record("nothing was revoked")
            return
        }
        #expect(time >= before)
        #expect(user.updatedAt != nil)
        let entry = try #require(try await fixture.audit().last)
        #expect(entry.action == .userChanged)
        #expect(entry.details["changed"] == part)
        #expect(!entry.details.values.contains { $0.contains("hash") })
    }

    @Test func `what changes nothing, and enabling, voids nothing`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        #expect(try await fixture.change("li") { $0.role = .teacher }.1 == nil)
        #expect(try await fixture.audit().count == 1)
        _ = try await fixture.change("li") { $0.disabledAt = .now }
        #expect(try await fixture.change("li") { $0.disabledAt = nil }.1 == nil)
        #expect(try await fixture.audit().count == 3)
    }

    @Test func `the last administrator who can sign in is neither disabled nor removed nor made another role`()
        async throws
    {
        let fixture = try AccountsFixture()
        try await fixture.create("root", .admin)
        try await fixture.create("li")
        await expect(.lastAdministrator) { _ = try await fixture.change("root") { $0.role = .teacher } }
        await expect(.lastAdministrator) { _ = try await fixture.change("root") { $0.disabledAt = .now } }
        await expect(.lastAdministrator) {
            _ = try await fixture.accounts.remove("root", by: AccountsFixture.author)
        }
        _ = try await fixture.change("root") { $0.passwordHash = "another" }
        _ = try await fixture.change("li") { $0.role = .admin }
        _ = try await fixture.change("root") { $0.disabledAt = .now }
        await expect(.lastAdministrator) { _ = try await fixture.accounts.remove("li", by: AccountsFixture.author) }
        _ = try await fixture.change("root") { $0.disabledAt = nil }
        _ = try await fixture.accounts.remove("li", by: AccountsFixture.author)
        #expect(try await fixture.accounts.user("li") == nil)
        #expect(try await fixture.accounts.users(cursor: nil, limit: 9).users.map(\.id) == ["root"])
    }

    @Test func `changes at the same time are all made`() async throws {
        let fixture = try AccountsFixture()
        try await fixture.create("li")
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for number in 0..<8 {
                tasks.addTask { _ = try await fixture.change("li") { $0.passwordHash += "+\(number)" } }
            }
            try await tasks.waitForAll()
        }
        let hash = try #require(try await fixture.accounts.user("li")).passwordHash
        #expect(hash.split(separator: "+").count == 9)
    }

    @Test func `whom there is not can be neither changed nor removed`() async throws {
        let fixture = try AccountsFixture()
        await expect(.noUser) { _ = try await fixture.change("nobody") { $0.role = .admin } }
        await expect(.noUser) { _ = try await fixture.accounts.remove("nobody", by: AccountsFixture.author) }
        await expect(.noUser) { _ = try await fixture.change("no body") { $0.role = .admin } }
    }
}
