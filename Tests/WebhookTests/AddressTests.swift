import Domain
import NIOCore
import NIOPosix
import Testing

@testable import Webhooks

@Suite struct AddressTests {
    private static var open: WebhookConfiguration {
        var configuration = WebhookConfiguration()
        (configuration.allowsHTTP, configuration.allowsPrivate) = (true, true)
        return configuration
    }

    @Test(arguments: [
        ("https://school.example/hook", "https://school.example/hook"),
        ("https://School.EXAMPLE", "https://school.example/"),
        ("HTTPS://a.example:8443/a%20b?c=d", "https://a.example:8443/a%20b?c=d"),
        ("https://93.184.216.34/", "https://93.184.216.34/"),
        ("https://[2606:4700::1111]/x", "https://[2606:4700::1111]/x"),
        ("https://a_b-c.example:443", "https://a_b-c.example:443/"),
    ])
    func `an address is brought into one form`(text: String, url: String) throws {
        #expect(try WebhookAddress(text, configuration: WebhookConfiguration()).url == url)
    }

    @Test(arguments: [
        "", "school.example", "//school.example/", "ftp://school.example/", "http://school.example/",
        "https:///hook", "https://", "https://user@school.example/", "https://user:pass@school.example/",
        "https://:pass@school.example/", "https://school.example/#part", "https://school.example:22/",
        "https://school.example:0/", "https://school.example:70000/", "https://school.example:port/",
        "https://sch ool.example/", "https://学校.example/", "https://school.example/\r\nX: y",
        "https://school.example/\u{0}",
        "https://localhost/", "https://LOCALHOST/", "https://a.localhost/", "https://127.0.0.1/", "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data", "https://192.168.0.1/", "https://172.16.0.1/", "https://0.0.0.0/",
        "https://100.64.0.1/", "https://224.0.0.1/", "https://255.255.255.255/", "https://[::1]/", "https://[::]/",
        "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fc00::1]/", "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[ff02::1]/", "https://%6c%6fcalhost/",
        "unix:///run/redis.sock", "http+unix://%2Frun%2Fredis.sock/", "https://a%2fb/",
        "https://school.example/" + String(repeating: "x", count: 2000),
    ])
    func `what cannot or must not be sent to is refused`(text: String) {
        #expect(throws: WebhookAddressError.self) {
            try WebhookAddress(text, configuration: WebhookConfiguration())
        }
    }

    @Test func `the operator can allow addresses without TLS and in private networks, one without the other`() throws {
        #expect(try WebhookAddress("http://127.0.0.1:8080/", configuration: Self.open).url == "http://127.0.0.1:8080/")
        var configuration = WebhookConfiguration()
        configuration.allowsHTTP = true
        #expect(throws: WebhookAddressError.self) {
            try WebhookAddress("http://127.0.0.1/", configuration: configuration)
        }
        (configuration.allowsHTTP, configuration.allowsPrivate) = (false, true)
        #expect(throws: WebhookAddressError.self) {
            try WebhookAddress("http://127.0.0.1/", configuration: configuration)
        }
        #expect(throws: WebhookAddressError.self) { try WebhookAddress("ftp://a.example/", configuration: Self.open) }
    }

    @Test(arguments: [
        ("8.8.8.8", true), ("1.0.0.1", true), ("9.255.255.255", true), ("10.0.0.0", false), ("10.255.255.255", false),
        ("11.0.0.0", true), ("100.63.255.255", true), ("100.64.0.0", false), ("100.127.255.255", false),
        ("100.128.0.0", true), ("126.255.255.255", true), ("127.0.0.0", false), ("127.255.255.255", false),
        ("169.253.255.255", true), ("169.254.0.1", false), ("172.15.255.255", true), ("172.16.0.0", false),
        ("172.31.255.255", false), ("172.32.0.0", true), ("192.0.0.8", false), ("192.167.255.255", true),
        ("192.168.255.255", false), ("198.17.255.255", true), ("198.18.0.1", false), ("198.19.255.255", false),
        ("223.255.255.255", true), ("224.0.0.1", false), ("240.0.0.1", false), ("255.255.255.255", false),
        ("0.0.0.0", false), ("2606:4700::1111", true), ("2a00::1", true), ("::1", false), ("::", false),
        ("fe80::1", false), ("fd00::1", false), ("ff02::1", false), ("::ffff:8.8.8.8", true),
        ("::ffff:127.0.0.1", false), ("::ffff:169.254.169.254", false), ("::127.0.0.1", false),
        ("64:ff9b::8.8.8.8", false), ("2001::1", false), ("2001:1ff::1", false), ("2001:200::1", true),
        ("2001:db8::1", false), ("2002:a00:1::", false), ("3fff::1", false), ("3fff:1000::1", true),
    ])
    func `an address is public or not`(text: String, isPublic: Bool) throws {
        #expect(NetworkRanges.isPublic(try SocketAddress(ipAddress: text, port: 443)) == isPublic)
    }

    /// Names, and numbers that the system takes for addresses although they do not look like any.
    @Test(arguments: ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost."])
    func `what turns out to lead into a private network when it is looked up is not connected to`(host: String)
        async throws
    {
        let receiver = try await WebhookReceiver()
        var configuration = WebhookConfiguration()
        configuration.allowsHTTP = true
        let sender = WebhookSender(configuration: configuration)
        let webhook = Webhook(
            id: "wh_1", url: "http://\(host):\(receiver.port)/", eventTypes: [], examIDs: [], description: nil,
            owner: "zhang", ownerRole: .teacher, secret: .make(), createdAt: .now)
        let answer = await sender.send([], id: "1", to: webhook)
        #expect(
            [.fault(.addressRefused), .fault(.addressInvalid), .fault(.unresolved)].contains(answer.result),
            "\(answer)")
        #expect(receiver.deliveries.isEmpty)
    }

    @Test func `the host is looked up here, and the request names it as it was written`() async throws {
        let receiver = try await WebhookReceiver()
        let sender = WebhookSender(configuration: Self.open)
        let webhook = Webhook(
            id: "wh_1", url: "http://localhost:\(receiver.port)/hook", eventTypes: [], examIDs: [], description: nil,
            owner: "zhang", ownerRole: .teacher, secret: .make(), createdAt: .now)
        let answer = await sender.send(Array("{}".utf8), id: "1", to: webhook)
        #expect(answer.result == .status(204))
        #expect(receiver.deliveries.map { $0.headers["host"] } == ["localhost:\(receiver.port)"])
    }
}
