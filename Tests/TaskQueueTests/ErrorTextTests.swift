import Testing

@testable import TaskQueue

@Suite struct ErrorTextTests {
    @Test(arguments: [
        ("cannot reach redis://user:pw@host:6379/0", "cannot reach redis://host:6379/0"),
        ("redis://:s3cret==@host, later", "redis://host, later"),
        ("redis://user:p/w@host/1", "redis://host/1"), ("redis://user:p#w?@host", "redis://host"),
        ("http://u@h@host:80/a/b?x=1#y", "http://host:80/a/b?x=1#y"), ("(\"HTTP://u:p@h/x\")", "(\"HTTP://h/x\")"),
        ("http://host:8080/users/@me", "http://host:8080/users/@me"),
        ("https://host/a?token=abc&page=2", "https://host/a?token=…&page=2"),
        ("https://host/a?next=redis://u:p@h/0", "https://host/a?next=redis://h/0"),
        ("http://a.example/b/c and /d/e", "http://a.example/b/c and …/e"),
        ("unix:///run/zhiyue/redis.sock", "unix://…/redis.sock"), ("file:///var/lib/x.png", "file://…/x.png"),
        ("redis://host;password=abc", "redis://…"),
        ("a@b.example wrote", "a@b.example wrote"),
    ])
    func `URLs lose who logs in, and keep their paths`(text: String, expected: String) {
        #expect(ErrorText.cleaned(text) == expected)
    }

    @Test(arguments: [
        ("password=abc", "password=…"), ("PassWord = abc next", "PassWord = … next"),
        ("passwd:abc, user=bob", "passwd:…, user=bob"),
        ("REDIS_PASSWORD=a,b;c d", "REDIS_PASSWORD=… d"), ("client_secret: x.y(z)a", "client_secret: …"),
        ("{\"token\":\"a b\\\"c\",\"n\":1}", "{\"token\":\"…\",\"n\":1}"),
        ("{'api_key': 'abc', 'n': 1}", "{'api_key': '…', 'n': 1}"),
        ("{\"api-key\":123}", "{\"api-key\":…}"),
        ("{\\\"token\\\":\\\"abc\\\",\\\"n\\\":1}", "{\\\"token\\\":\\\"…\\\",\\\"n\\\":1}"),
        ("\"secret\" => \"abc\"", "\"secret\" => \"…\""), ("password='it's mine' x", "password='…' mine' x"),
        ("token=\"never closed, and more", "token=\"…"), ("token=", "token="), ("token=\"\"", "token=\"\""),
        ("Authorization: Basic dXNlcjpwdw==", "Authorization: …"),
        ("authorization: Bearer abc.def x", "authorization: … x"),
        ("authorization=abc", "authorization=…"), ("\"Authorization\":\"Bearer abc\"", "\"Authorization\":\"…\""),
        ("sent Bearer abc.def-1 to it", "sent Bearer … to it"), ("token: bearer abc", "token: …"),
        ("BEARER\tabc", "BEARER …"),
        ("user=x&password=a&b&page=1", "user=x&password=…&page=1"), ("password:\nhunter2", "password: …"),
        ("the password for bob is wrong", "the password for bob is wrong"),
    ])
    func `values of secrets are left out`(text: String, expected: String) {
        #expect(ErrorText.cleaned(text) == expected)
    }

    @Test(arguments: [
        ("got eyJhbGciOi.eyJzdWIi.c2ln-_ here", "got … here"), ("/x/eyJa.eyJb.c", "…/…"),
        ("jwt_eyJa.eyJb.c!", "jwt_…!"),
        ("eyJa.b", "eyJa.b"), ("eyJa.eyJb.", "…"), ("id=eyJa.eyJb.c&x", "id=…&x"),
    ])
    func `tokens are left out wherever they are`(text: String, expected: String) {
        #expect(ErrorText.cleaned(text) == expected)
    }

    @Test(arguments: [
        ("/var/lib/zhiyue/blobs/ab/cd.png", "…/cd.png"), ("open \"/var/lib/x.png\": no", "open \"…/x.png\": no"),
        ("/src/A.swift:12:5: error", "…/A.swift:12:5: error"), ("PATH=/usr/bin:/usr/local/bin", "PATH=…/bin:…/bin"),
        ("//var//lib///x", "…/x"), ("/var/lib/", "…/lib/"), ("/tmp", "…/tmp"), ("读不了/var/lib/数据/a.png。", "读不了…/a.png。"),
        ("/", "/"), ("a / b // c", "a / b // c"), ("application/json", "application/json"), ("1/2", "1/2"),
        ("2026/11/23", "2026/11/23"), ("数学/语文/英语", "数学/语文/英语"), ("./a/b ../c/d ~/e", "./a/b ../c/d ~/e"),
        ("…/cd.png", "…/cd.png"),
    ])
    func `absolute paths are cut to their name`(text: String, expected: String) {
        #expect(ErrorText.cleaned(text) == expected)
    }

    @Test func `control characters and line breaks become spaces`() {
        #expect(
            ErrorText.cleaned("a\nb\r\nc\u{0}d\u{1B}[31m\u{7F}e\u{85}f\u{2028}g\u{202E}h") == "a b  c d [31m e f g h")
        #expect(ErrorText.cleaned("") == "")
        #expect(ErrorText.cleaned("题目 3：识别失败 👩‍👩‍👧") == "题目 3：识别失败 👩‍👩‍👧")
    }

    @Test func `a long text is cut, and what is cut off does not show a secret half`() {
        #expect(ErrorText.cleaned(String(repeating: "a", count: 1000)) == String(repeating: "a", count: 1000))
        #expect(ErrorText.cleaned(String(repeating: "题", count: 5000)) == String(repeating: "题", count: 999) + "…")
        #expect(ErrorText.cleaned("e" + String(repeating: "\u{301}", count: 20_000)).unicodeScalars.count == 1000)
        for padding in 960...1010 {
            let text = String(repeating: "x", count: padding) + " redis://user:hunter2@host password=hunter2 /hunter2/a"
            let cleaned = ErrorText.cleaned(text)
            #expect(!cleaned.contains("hunter") && cleaned.count <= 1000)
        }
    }

    @Test(arguments: [
        "/", "a/", "/a", "http://", "a://b@", "token ", "token=", "token=\"", "Bearer ", "eyJ.", "\\", "\\\"", "中/a",
        "…/", "&a=",
        "{\"token\":", "a:", "x://h:y/", "'", " ",
    ])
    func `much of what might take long are done`(piece: String) {
        let cleaned = ErrorText.cleaned(String(repeating: piece, count: 200_000 / piece.utf8.count))
        #expect(cleaned.unicodeScalars.count <= 1000)
        #expect(ErrorText.cleaned(cleaned) == cleaned)
    }

    private static let pieces = [
        "http://", "redis://", "user", ":", "pw", "@", "host", "/", "//", "?", "&", "=", "token", "password", "secret",
        "api_key",
        "Authorization", "Bearer", "Basic", "eyJa", ".", "eyJb.c.d", "\"", "'", "\\", "\\\"", "`", " ", "  ", "\n", ",",
        ";", "{", "}",
        "(", ")", "<", ">", "[", "]", "|", "…", "中", "é", "a", "B", "1", "-", "_", "+", "#", "var", "lib", "x.png",
        "\u{0}", "=>", "%", "~",
    ]

    @Test(arguments: 0..<20)
    func `cleaning again changes nothing, whatever the text`(seed: Int) {
        var generator = CronPropertyTests.Generator(state: UInt64(seed))
        var emptied = 0
        for round in 0..<300 {
            let longest = round % 40 == 0 ? 700 : 24
            let text = (0..<Int.random(in: 1...longest, using: &generator))
                .map { _ in Self.pieces.randomElement(using: &generator) ?? "" }.joined()
            let cleaned = ErrorText.cleaned(text)
            #expect(ErrorText.cleaned(cleaned) == cleaned, "\(text.debugDescription)")
            #expect(cleaned.unicodeScalars.count <= 1000)
            #expect(!cleaned.unicodeScalars.contains { $0.value < 0x20 })
            emptied += cleaned == "…" ? 1 : 0
        }
        // The text is not just given up.
        #expect(emptied < 30)
    }

    @Test func `random bytes are no trap`() {
        var generator = CronPropertyTests.Generator(state: 99)
        for _ in 0..<1000 {
            let bytes = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let cleaned = ErrorText.cleaned(String(decoding: bytes, as: UTF8.self))
            #expect(ErrorText.cleaned(cleaned) == cleaned)
        }
    }

    @Test func `a secret does not show, however it is quoted`() {
        let secret = "hunter2"
        for key in ["password", "DB_PASSWD", "secret", "x-token", "api_key", "apiKey", "Authorization", "clientSecret"]
        {
            for separator in ["=", ":", ": ", " = ", "\":\"", "\": \"", "':'", "\\\":\\\"", "=\"", "='", ":\n"] {
                for end in ["", "\"", "'", "\\\"", ",", "}", "&a=b", " ", "\n", ")"] {
                    let cleaned = ErrorText.cleaned("failed {\"" + key + separator + secret + end + " after")
                    #expect(!cleaned.contains(secret), "\(key)\(separator)\(end)")
                }
            }
        }
    }
}
