import NIOCore
import Testing

@testable import Redis

@Suite struct RedisCommandTests {
    private func text(_ command: RedisCommand) -> String {
        String(decoding: command.encodedArguments, as: UTF8.self)
    }

    @Test(arguments: [
        ("GET", "$3\r\nGET\r\n"), ("", "$0\r\n\r\n"), ("试", "$3\r\n试\r\n"), ("a\r\nb", "$4\r\na\r\nb\r\n"),
    ])
    func textIsABulkStringOfItsUTF8Bytes(argument: String, expected: String) {
        #expect(text(RedisCommand(argument)) == expected)
    }

    @Test(arguments: [0, 7, 9, 10, 99, 100, 1_000_000, -1, -10, Int.max, Int.min])
    func integersAreWrittenInDecimal(number: Int) {
        #expect(text(RedisCommand("A", number)) == "$1\r\nA\r\n$\("\(number)".count)\r\n\(number)\r\n")
    }

    @Test(arguments: [(0.5, "0.5"), (1.0, "1.0"), (.infinity, "inf"), (-.infinity, "-inf"), (1e300, "1e+300")])
    func doublesAreWrittenAsTheShortestText(number: Double, expected: String) {
        #expect(text(RedisCommand("A", number)) == "$1\r\nA\r\n$\(expected.count)\r\n\(expected)\r\n")
    }

    @Test func allKindsOfArgumentsFollowEachOther() {
        let bytes: [UInt8] = [0, 13, 10, 255]
        let command: RedisCommand = ["SET", "k" as Substring, bytes, ByteBuffer(bytes: bytes), Int64(5)]
        let framed = Array("$4\r\n".utf8) + bytes + Array("\r\n".utf8)
        #expect(command.argumentCount == 5)
        #expect(
            command.encodedArguments == Array("$3\r\nSET\r\n$1\r\nk\r\n".utf8) + framed + framed
                + Array("$1\r\n5\r\n".utf8))
    }

    @Test func argumentsCanBeAppended() {
        var command = RedisCommand("XADD", "stream")
        command.append("*")
        command.append(contentsOf: ["field", 1] as [any RedisArgument])
        let whole: RedisCommand = ["XADD", "stream", "*", "field", 1]
        #expect(command.encodedArguments == whole.encodedArguments)
        #expect(command.argumentCount == whole.argumentCount)
    }

    @Test func aCommandDescribesItselfWithoutItsArguments() {
        #expect("\(RedisCommand("AUTH", "secret"))" == "AUTH")
    }

    @Test(arguments: [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (String(repeating: "a", count: 1_000), "291e9a6c66994949b57ba5e650361e98fc36b1ba"),
        (String(repeating: "a", count: 55), "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
        (String(repeating: "a", count: 56), "c2db330f6083854c99d4b5bfb6e8f29f201be699"),
        (String(repeating: "a", count: 64), "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
    ])
    func aScriptIsNamedByTheSHA1OfItsSource(source: String, digest: String) {
        #expect(RedisScript(name: "test", source: Array(source.utf8)).sha1 == digest)
    }
}
