/// A command with its arguments, already encoded as RESP bulk strings by the thread that makes it.
package struct RedisCommand: Sendable {
    /// The script of an `EVALSHA`; its first two arguments are then written by the connection, which knows whether the
    /// server has the script. Nil for every other command.
    let script: RedisScript?
    /// The arguments, each as `$<length>\r\n<bytes>\r\n`; without the array header.
    private(set) var encodedArguments: [UInt8]
    private(set) var argumentCount: Int

    /// - Parameters:
    ///   - name: The command, such as `XADD`.
    ///   - arguments: What follows it.
    package init(_ name: String, _ arguments: any RedisArgument...) {
        self.init(name, arguments: arguments)
    }

    package init(_ name: String, arguments: [any RedisArgument]) {
        self.init(script: nil, first: name, arguments: arguments)
    }

    /// A call of `script`; the connection chooses `EVALSHA` or `EVAL`.
    package init(script: RedisScript, keys: [String], arguments: [any RedisArgument]) {
        self.init(script: script, first: keys.count, arguments: keys as [any RedisArgument] + arguments)
    }

    /// A command whose arguments, its name first, are written one by one.
    ///
    /// - Parameter capacity: No less than the bytes of all arguments and `RESPWriter.bulkOverhead` for each.
    package init(capacity: Int, _ write: (inout RESPWriter) -> Void) {
        script = nil
        (encodedArguments, argumentCount) = RESPWriter.bulkStrings(capacity: capacity, write)
        precondition(argumentCount > 0, "A command needs a name")
    }

    private init(script: RedisScript?, first: some RedisArgument, arguments: [any RedisArgument]) {
        self.script = script
        encodedArguments = RESPWriter.bulkStrings(first, arguments)
        argumentCount = 1 + arguments.count
    }

    package mutating func append(_ argument: some RedisArgument) {
        encodedArguments += RESPWriter.bulkStrings(argument, [])
        argumentCount += 1
    }

    package mutating func append(contentsOf arguments: [any RedisArgument]) {
        encodedArguments += RESPWriter.bulkStrings(Self.nothing, arguments)
        argumentCount += arguments.count
    }

    private static let nothing: String? = nil
}

extension RedisCommand: ExpressibleByArrayLiteral {
    /// The first element is the command's name. An empty literal is a programmer's error.
    package init(arrayLiteral elements: any RedisArgument...) {
        precondition(!elements.isEmpty, "A command needs a name")
        script = nil
        encodedArguments = RESPWriter.bulkStrings(Self.nothing, elements)
        argumentCount = elements.count
    }
}

extension RedisCommand: CustomStringConvertible {
    /// The name alone: arguments may be secret or large.
    package var description: String {
        if let script { return "EVALSHA \(script.name)" }
        let afterLength =
            encodedArguments.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? encodedArguments.endIndex
        let name = encodedArguments[afterLength...].prefix { $0 != UInt8(ascii: "\r") }
        return String(decoding: name, as: UTF8.self)
    }
}
