/// Who besides its owner has to do with an exam.
package struct ExamGrants: Codable, Equatable, Sendable {
    /// What another teacher may do.
    package enum Access: String, Codable, Sendable, CaseIterable {
        /// See everything.
        case read
        /// Change it, upload sheets, publish results; not delete it nor share it.
        case edit
    }

    package struct Share: Codable, Equatable, Sendable {
        package var user: UserID
        package var access: Access

        package init(user: UserID, access: Access) {
            self.user = user
            self.access = access
        }
    }

    /// The questions a marker sees.
    package struct Assignment: Codable, Equatable, Sendable {
        package var user: UserID
        /// Numbers, rising.
        package var questions: [Int]

        package init(user: UserID, questions: [Int]) {
            self.user = user
            self.questions = questions
        }
    }

    package static let maxShares = 100
    package static let maxMarkers = 500

    /// By user.
    package private(set) var shares: [Share] = []
    /// By user.
    package private(set) var markers: [Assignment] = []

    package init() {}

    package func access(of user: UserID) -> Access? {
        shares.first { $0.user == user }?.access
    }

    /// Of a marker; empty for who is none.
    package func questions(of user: UserID) -> [Int] {
        markers.first { $0.user == user }?.questions ?? []
    }

    /// - Parameter access: nil takes it back.
    package mutating func share(with user: UserID, _ access: Access?) {
        shares.removeAll { $0.user == user }
        if let access { shares.append(Share(user: user, access: access)) }
        shares.sort { $0.user.rawValue < $1.user.rawValue }
    }

    /// - Parameter questions: none takes it back.
    package mutating func assign(_ questions: some Sequence<Int>, to user: UserID) {
        markers.removeAll { $0.user == user }
        let questions = Set(questions).sorted()
        if !questions.isEmpty { markers.append(Assignment(user: user, questions: questions)) }
        markers.sort { $0.user.rawValue < $1.user.rawValue }
    }

    /// Forgets questions the exam does not have any more.
    package mutating func keep(questions: Set<Int>) {
        for marker in markers { assign(marker.questions.filter(questions.contains), to: marker.user) }
    }

    package var users: Set<UserID> { Set(shares.map(\.user)).union(markers.map(\.user)) }
}

extension Exam {
    /// Everything people may be asked about its sheets.
    package var reviewTargets: Set<ReviewTarget> {
        Set(questions.map { ReviewTarget.question($0.number) }).union([.studentID, .page])
    }

    /// True for who may decide reviews of a target by owning the exam, sharing it to edit, or marking the question.
    package func mayDecide(_ target: ReviewTarget, _ user: UserID) -> Bool {
        if user == owner || grants?.access(of: user) == .edit { return true }
        guard let question = target.question else { return false }
        return grants?.questions(of: user).contains(question) == true
    }
}
