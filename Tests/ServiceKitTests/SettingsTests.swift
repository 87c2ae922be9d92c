import Configuration
import Domain
import EventBus
import Foundation
import Logging
import Redis
import TaskQueue
import Testing

@testable import ServiceKit

@Suite("Settings")
struct SettingsTests {
    private static func reader(_ variables: [String: String]) -> SettingsReader {
        SettingsReader(
            config: ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: variables)))
    }

    private static func settings(_ variables: [String: String]) throws -> ServiceSettings {
        try ServiceSettings(reader: reader(variables))
    }

    @Test("Nothing set gives the documented defaults")
    func defaults() throws {
        let settings = try Self.settings([:])
        #expect(settings.redis.address == "127.0.0.1:6379")
        #expect(settings.keys.prefix == "zhiyue")
        #expect(settings.keys.streamPrefix == "zhiyue:events")
        #expect(settings.bus.partitions == 8)
        #expect(settings.queue.maxRetries == 3)
        #expect(settings.queue.retryDelays == [1, 2, 5, 10, 30].map { Duration.seconds($0) })
        #expect(settings.queue.taskTimeout == .seconds(300))
        #expect(settings.heartbeatInterval == .seconds(2))
        #expect(settings.maxWorkers >= 1)
        #expect(settings.logLevel == .info)
        #expect(settings.consumerGroup == nil)
    }

    @Test("What is set is taken, and an empty value is as unset")
    func values() throws {
        let settings = try Self.settings([
            "REDIS_URL": "redis://u:p@example.org:7000/3", "REDIS_KEY_PREFIX": "school", "MAX_WORKERS": "6",
            "RETRY_DELAY": "0.5, 2", "TASK_TIMEOUT": "12.25", "LOG_LEVEL": "DEBUG", "EVENT_PARTITIONS": "",
            "REDIS_CONSUMER_GROUP": "g", "SERVICE_REPLICA": "r1",
        ])
        #expect(settings.redis.address == "example.org:7000")
        #expect(settings.redis.database == 3)
        #expect(settings.keys.streamPrefix == "school:events")
        #expect(settings.maxWorkers == 6)
        #expect(settings.bus.retryDelays == [.milliseconds(500), .seconds(2)])
        #expect(settings.queue.taskTimeout == .milliseconds(12_250))
        #expect(settings.logLevel == .debug)
        #expect(settings.bus.partitions == 8)
        #expect(settings.consumerGroup == "g")
        #expect(settings.replica == "r1")
    }

    @Test(
        "A wrong value stops the start with the setting's name, the value and what is expected",
        arguments: [
            ("MAX_WORKERS", "many", "a whole number from 1 to 1024"), ("MAX_WORKERS", "0", "from 1 to 1024"),
            ("MAX_WORKERS", "1e3", "whole number"), ("EVENT_PARTITIONS", "1025", "from 1 to 1024"),
            ("MAX_RETRIES", "-1", "from 0 to 100"), ("HEALTH_PORT", "65536", "from 0 to 65535"),
            ("TASK_TIMEOUT", "0", "seconds from 0.1"), ("TASK_TIMEOUT", "nan", "seconds"),
            ("TASK_TIMEOUT", "5m", "seconds"), ("HEARTBEAT_INTERVAL", "inf", "seconds"),
            ("RETRY_DELAY", "1,x,3", "seconds"), ("RETRY_DELAY", ",", "seconds"), ("RETRY_DELAY", "1,,3", "seconds"),
            ("SHUTDOWN_GRACE", "-1", "seconds"), ("LOG_LEVEL", "loud", "trace, debug, info"),
        ])
    func wrongValues(_ name: String, _ value: String, _ expectation: String) throws {
        let error = #expect(throws: SettingsError.self) { try Self.settings([name: value]) }
        let text = try #require(error).description
        #expect(text.hasPrefix(name))
        #expect(text.contains("\""))
        #expect(text.contains(expectation), "\(text)")
        #expect(value.split(separator: ",").isEmpty || value.split(separator: ",").contains { text.contains($0) })
    }

    @Test(
        "A wrong or right address of Redis never shows its password",
        arguments: [
            "redis://u:hush-hush@example.org:port", "http://u:hush-hush@example.org",
            "redis://u:hush-hush@example.org/x",
        ])
    func secrets(_ url: String) throws {
        let error = #expect(throws: SettingsError.self) { try Self.settings(["REDIS_URL": url]) }
        let text = try #require(error).description
        #expect(text.hasPrefix("REDIS_URL"))
        #expect(!text.contains("hush"))
        let settings = try Self.settings(["REDIS_URL": "redis://u:hush-hush@example.org"])
        var dumped = "\(settings) \(String(reflecting: settings))"
        dump(settings, to: &dumped)
        #expect(dumped.contains("example.org"))
        #expect(!dumped.contains("hush"))
    }
}

@Suite("Log lines")
struct LogLineTests {
    private static func fields(_ event: LogEvent, metadata: Logger.Metadata = [:]) throws -> [String: Any] {
        var handler = JSONLogHandler(service: "gate\"way", replica: "host\\1", logLevel: .info)
        handler.metadata = metadata
        let line = handler.line(for: event)
        #expect(line.hasSuffix("}\n"))
        #expect(!line.utf8.dropLast().contains(UInt8(ascii: "\n")))
        return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    private static func event(_ message: String, _ metadata: Logger.Metadata? = nil) -> LogEvent {
        LogEvent(
            level: .warning, message: "\(message)", metadata: metadata, source: "s", file: "f", function: "f", line: 1)
    }

    @Test("A line is one JSON object whatever is in it")
    func escapes() throws {
        let nasty = "a\"b\\c\nd\re\tf\u{0}\u{1B}[31m\u{7F}\u{2028}李\u{1F600}\u{301}/"
        let fields = try Self.fields(
            Self.event(nasty, ["k\"\n": "\(nasty)", "list": ["x", ["y": "\(nasty)"]]]), metadata: ["own": "o"])
        #expect(fields["message"] as? String == nasty)
        #expect(fields["k\"\n"] as? String == nasty)
        #expect(fields["own"] as? String == "o")
        #expect(fields["service"] as? String == "gate\"way")
        #expect(fields["replica"] as? String == "host\\1")
        #expect(fields["level"] as? String == "warning")
        let list = try #require(fields["list"] as? [Any])
        #expect(list[0] as? String == "x")
        #expect((list[1] as? [String: String])?["y"] == nasty)
        #expect(Timestamp(rfc3339: fields["time"] as? String ?? "") != nil)
    }

    @Test("Each control character is escaped", arguments: 0..<32)
    func controls(_ value: Int) throws {
        let text = String(UnicodeScalar(UInt8(value)))
        let quoted = JSONLogHandler.quoted(text)
        #expect(quoted.utf8.allSatisfy { $0 >= 0x20 })
        #expect(try JSON.decode([String].self, from: "[\(quoted)]") == [text])
    }

    @Test("Metadata of the call goes before that of the logger")
    func precedence() throws {
        let fields = try Self.fields(Self.event("m", ["key": "call"]), metadata: ["key": "logger"])
        #expect(fields["key"] as? String == "call")
    }
}
