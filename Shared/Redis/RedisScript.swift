/// A Lua script, known to the server by the SHA-1 of its source.
package struct RedisScript: Sendable {
    /// For log lines and errors.
    package let name: String
    package let source: [UInt8]
    /// 40 lower-case hexadecimal digits.
    package let sha1: String

    package init(name: String, source: [UInt8]) {
        self.name = name
        self.source = source
        sha1 = SHA1.hexadecimal(of: source)
    }

    /// The call as a command, for pipelines.
    package func command(keys: [String], arguments: [any RedisArgument] = []) -> RedisCommand {
        RedisCommand(script: self, keys: keys, arguments: arguments)
    }
}
