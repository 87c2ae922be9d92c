import NIOHTTP1
import Testing

@testable import WebSocket

/// Agreeing on compression.
@Suite struct PerMessageDeflateTests {
    private static let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    private func agreement(_ values: [String]) throws -> PerMessageDeflate? {
        var headers: HTTPHeaders = [
            "upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13",
            "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        ]
        for value in values { headers.add(name: "Sec-WebSocket-Extensions", value: value) }
        return try WebSocketHandshake(
            HTTPRequestHead(version: .http1_1, method: .GET, uri: "/ws", headers: headers)
        ).deflate
    }

    @Test(arguments: [
        (["permessage-deflate"], plain),
        (["permessage-deflate; client_max_window_bits"], plain),
        (["permessage-deflate; client_max_window_bits=8"], plain),
        (["permessage-deflate;client_max_window_bits=\"15\" ;server_no_context_takeover"], plain),
        (["permessage-deflate; server_max_window_bits=9"], plain + "; server_max_window_bits=9"),
        (["permessage-deflate; server_max_window_bits = \"1\\5\""], plain + "; server_max_window_bits=15"),
        // The first that can be agreed to.
        (
            [
                "x-webkit-deflate-frame, foo; bar=\"a\\b\"",
                "permessage-deflate; server_max_window_bits=8, permessage-deflate",
            ], plain
        ),
        (["permessage-deflate; client_no_context_takeover, permessage-deflate; server_max_window_bits=10"], plain),
        (
            ["permessage-deflate; future=1", ", permessage-deflate; server_max_window_bits=12,"],
            plain + "; server_max_window_bits=12"
        ),
    ])
    func `an offer is accepted without context takeover, whatever else it asks for is kept to`(
        values: [String], answer: String
    ) throws {
        #expect(try agreement(values)?.answer == answer)
    }

    @Test(arguments: [
        [], [""], ["permessage-bzip2"], ["Permessage-Deflate"],
        // zlib cannot keep to so small a window.
        ["permessage-deflate; server_max_window_bits=8"],
        ["permessage-deflate; server_max_window_bits"], ["permessage-deflate; server_max_window_bits=16"],
        ["permessage-deflate; server_max_window_bits=7"], ["permessage-deflate; server_max_window_bits=09"],
        ["permessage-deflate; server_max_window_bits=1x"], ["permessage-deflate; client_max_window_bits=7"],
        ["permessage-deflate; client_max_window_bits=99999999999999999999"],
        ["permessage-deflate; server_no_context_takeover=1"],
        ["permessage-deflate; client_no_context_takeover; client_no_context_takeover"],
        ["permessage-deflate; server_max_window_bits=10; server_max_window_bits=10"], ["permessage-deflate; x"],
    ])
    func `what is no offer to agree to is declined, which is no error`(values: [String]) throws {
        #expect(try agreement(values) == nil)
    }

    @Test(arguments: [
        "permessage-deflate;", "permessage-deflate; =9", "; permessage-deflate", "permessage-deflate; a=",
        "permessage-deflate; a=\"9", "permessage-deflate; a=\"\"", "permessage-deflate; a=\"9 9\"",
        "permessage-deflate server_no_context_takeover", "permessage-deflate, \"quoted\"", "permessage-deflate; a=b=c",
        "permessage-deflate; a=\"b\\", "permessage-défla",
    ])
    func `a header that is not written by the grammar is refused`(value: String) {
        #expect(throws: WebSocketHandshake.Refusal.self) { try agreement([value]) }
        #expect(throws: WebSocketHandshake.Refusal.self) { try agreement(["permessage-deflate", value]) }
    }

    @Test func `a client takes only what it has asked for`() throws {
        func agreement(_ answer: String) throws -> PerMessageDeflate? {
            PerMessageDeflate(answer: try #require(WebSocketExtension.list([answer])?.first))
        }
        #expect(try agreement(Self.plain)?.serverWindowBits == 15)
        #expect(
            try agreement("permessage-deflate; server_no_context_takeover; server_max_window_bits=8")?.serverWindowBits
                == 8)
        for answer in [
            "permessage-deflate", "permessage-deflate; client_no_context_takeover", "other",
            Self.plain + "; client_max_window_bits=10", Self.plain + "; server_max_window_bits",
            Self.plain + "; server_no_context_takeover",
        ] {
            #expect(try agreement(answer) == nil, "\(answer)")
        }
    }
}
