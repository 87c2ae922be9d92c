import Testing

@testable import ZhiYueCLI

@Suite struct ReplicaCountsTests {
    @Test("Services not named run once")
    func defaults() throws {
        let counts = try #require(ReplicaCounts(argument: "ocr-worker=2,notifier=0"))
        #expect(ServiceKind.allCases.map { counts[$0] } == [1, 2, 1, 1, 0, 1, 1])
    }

    @Test(
        "Counts that make no sense are refused",
        arguments: [
            "", "ocr-worker", "ocr-worker=", "ocr-worker=-1", "ocr-worker=65", "ocr=1", "notifier=1,notifier=1",
            "gateway=2", "gateway=0", "notifier=1,",
        ])
    func refused(_ text: String) {
        #expect(ReplicaCounts(argument: text) == nil)
    }
}
