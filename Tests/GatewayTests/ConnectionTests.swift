import Glibc
import NIOPosix
import Testing

@testable import Gateway

/// What happens on the wire, seen from a plain socket.
@Suite struct ConnectionTests {
    @Test func `a client that asks before it sends is told to go on and then answered`() async throws {
        try await RunningGateway.run { gateway in
            let token = try await gateway.token()
            let body = RunningGateway.examJSON
            let head = """
                POST /api/exams HTTP/1.1\r
                Host: test\r
                Authorization: Bearer \(token)\r
                Content-Type: application/json\r
                Content-Length: \(body.utf8.count)\r
                Expect: 100-continue\r
                \r

                """
            let port = gateway.port
            let (interim, answer) = try await NIOThreadPool.singleton.runIfActive {
                let socket = try PlainSocket(port: port)
                try socket.send(Array(head.utf8))
                let interim = socket.receive(until: "\r\n\r\n")
                try socket.send(Array(body.utf8))
                return (interim, socket.receive(until: "key_version"))
            }
            #expect(interim.hasPrefix("HTTP/1.1 100 Continue\r\n"))
            #expect(answer.hasPrefix("HTTP/1.1 201 Created\r\n"), "\(answer)")
        }
    }

    @Test func `a client that is refused while it sends can read why and is then cut off`() async throws {
        var configuration = GatewayConfiguration()
        configuration.upload = UploadLimits(totalBytes: 100_000, fileBytes: 100_000, files: 3)
        try await RunningGateway.run(configuration) { gateway in
            let token = try await gateway.token()
            let head = """
                POST /api/upload HTTP/1.1\r
                Host: test\r
                Authorization: Bearer \(token)\r
                Content-Type: multipart/form-data; boundary=b\r
                Transfer-Encoding: chunked\r
                \r

                """
            let part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n"
            let port = gateway.port
            let (answer, sent) = try await NIOThreadPool.singleton.runIfActive {
                let socket = try PlainSocket(port: port)
                try socket.send(Array(head.utf8) + PlainSocket.chunk(Array(part.utf8)))
                let chunk = PlainSocket.chunk([UInt8](repeating: 7, count: 65_536))
                var sent = 0
                // Never ends by itself: the gateway has to.
                while (try? socket.send(chunk)) != nil { sent += 65_536 }
                return (socket.receive(until: "request_id"), sent)
            }
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 413"), "\(answer)")
            #expect(sent < 64 << 20)
        }
    }

    @Test func `what is no HTTP is answered with 400`() async throws {
        try await RunningGateway.run { gateway in
            let port = gateway.port
            let answer = try await NIOThreadPool.singleton.runIfActive {
                let socket = try PlainSocket(port: port)
                try socket.send(Array("\u{1}\u{2}nonsense\r\n\r\n".utf8))
                return socket.receive(until: "\r\n\r\n")
            }
            #expect(answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
        }
    }
}

/// A blocking TCP connection to this machine.
private final class PlainSocket {
    struct Failure: Error {
        let number: Int32
    }

    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(number: errno) }
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    deinit {
        close(descriptor)
    }

    /// Of `Transfer-Encoding: chunked`.
    static func chunk(_ bytes: [UInt8]) -> [UInt8] {
        Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n".utf8)
    }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(number: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// What comes until it holds `end`, or until the other side is done.
    func receive(until end: String) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !String(decoding: bytes, as: UTF8.self).contains(end) {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
