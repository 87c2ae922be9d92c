import Testing

@testable import Redis

@Suite struct RedisConfigurationTests {
    @Test(arguments: [
        ("redis://localhost", "localhost", 6379, 0), ("redis://10.0.0.1:7000", "10.0.0.1", 7000, 0),
        ("redis://h/3", "h", 6379, 3), ("redis://h:1/?db=4", "h", 1, 4), ("redis://h/3?db=3", "h", 6379, 3),
        ("redis://[::1]:80/2", "::1", 80, 2), ("REDIS://h", "h", 6379, 0),
    ])
    func aTCPURLGivesHostPortAndDatabase(url: String, host: String, port: Int, database: Int) throws {
        let configuration = try RedisConfiguration(url: url)
        #expect(configuration.endpoint == .tcp(host: host, port: port))
        #expect(configuration.database == database)
        #expect(configuration.tls == nil)
        #expect(configuration.user == nil && configuration.password == nil)
    }

    @Test func aUnixURLGivesPathAndDatabase() throws {
        let configuration = try RedisConfiguration(url: "unix:///var/run/my%20redis.sock?db=1")
        #expect(configuration.endpoint == .unixSocket(path: "/var/run/my redis.sock"))
        #expect(configuration.database == 1)
    }

    @Test func aUnixURLMayCarryALogin() throws {
        let configuration = try RedisConfiguration(url: "unix://worker:p%40ss@/r.sock")
        #expect(configuration.endpoint == .unixSocket(path: "/r.sock"))
        #expect(configuration.user == "worker")
        #expect(configuration.password == "p@ss")
    }

    @Test func aTLSURLMayNameItsAuthorities() throws {
        #expect(try RedisConfiguration(url: "rediss://h").tls == .init())
        #expect(try RedisConfiguration(url: "rediss://h?cacert=/etc/ca.pem").tls == .init(authorityFile: "/etc/ca.pem"))
    }

    @Test(arguments: [
        ("redis://:secret@h", nil, "secret"), ("redis://me:a:b@h", "me", "a:b"), ("redis://me:p@ss@h", "me", "p@ss"),
        ("redis://%E8%AF%95:x@h", "试", "x"),
    ])
    func aLoginIsDecoded(url: String, user: String?, password: String) throws {
        let configuration = try RedisConfiguration(url: url)
        #expect(configuration.user == user)
        #expect(configuration.password == password)
        #expect(configuration.endpoint == .tcp(host: "h", port: 6379))
    }

    @Test(arguments: [
        ("", "begins with"), ("localhost:6379", "begins with"), ("http://h", "unknown scheme"),
        ("redis://", "host is missing"), ("redis://:1234", "host is missing"), ("redis://h:", "port"),
        ("redis://h:0", "port"), ("redis://h:65536", "port"), ("redis://h:x", "port"), ("redis://h:-1", "port"),
        ("redis://[::1", "without"), ("redis://a,b", "only one host"), ("redis://h/x", "database"),
        ("redis://h/-1", "database"), ("redis://h/1?db=2", "twice"), ("redis://h?db=1&db=1", "twice"),
        ("redis://h?timeout=1", "unknown option 'timeout'"), ("redis://h?db", "no value"),
        ("redis://h?cacert=/x", "needs rediss"), ("redis://secret@h", "needs a password"),
        ("redis://u:@h", "password is empty"), ("redis://u:secret%zz@h", "hexadecimal"),
        ("redis://u:secret%00@h", "UTF-8"),
        ("redis://u:secret%ff@h", "UTF-8"), ("redis://h#x", "%23"), ("redis://h h", "wrong character"),
        ("unix://path.sock", "three slashes"), ("unix:///", "path is missing"),
        ("unix:///" + String(repeating: "a", count: 107), "longer"),
    ])
    func aWrongURLSaysWhatIsWrongAndNotThePassword(url: String, reason: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains(reason) == true)
        #expect("\(error.map { "\($0)" } ?? "")".contains("secret") == false)
    }

    @Test func aConfigurationNeverPrintsItsPassword() throws {
        let configuration = try RedisConfiguration(url: "redis://user:secret@h:1/2")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("secret"))
            #expect(text.contains("redis://user:***@h:1?db=2"))
        }
    }

    @Test(arguments: [0, -1, 65]) func anOptionOutOfItsRangeIsNamed(poolSize: Int) async throws {
        let error = await failure {
            try await withClient(url: "redis://127.0.0.1") {
                $0.poolSize = poolSize
            } _: {
                try await $0.send(["PING"])
            }
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("poolSize") == true)
    }

    @Test func keysHaveTheNamesOthersRelyOn() {
        let keys = RedisKeys()
        #expect(keys.events(3) == "zhiyue:events:{p3}")
        #expect(keys.dead(3) == "zhiyue:dead:{p3}")
        #expect(keys.owner(3, group: "g") == "zhiyue:{p3}:owner:g")
        #expect(keys.groupMembers("g") == "zhiyue:group:g:members")
        #expect(keys.record(3, "exam:e") == "zhiyue:{p3}:exam:e")
        #expect(keys.queue("ocr", "ready:high") == "zhiyue:{q:ocr}:ready:high")
        #expect(RedisKeys(prefix: "a", streamPrefix: "b").events(0) == "b:{p0}")
        #expect(RedisKeys(prefix: "a").events(0) == "a:events:{p0}")
    }
}
