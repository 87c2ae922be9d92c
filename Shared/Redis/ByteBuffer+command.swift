internal import NIOCore

extension ByteBuffer {
    /// Writes a command as RESP. A script not among `knownScripts` goes with its source and is added to them.
    mutating func write(_ command: RedisCommand, knownScripts: inout Set<String>) {
        guard let script = command.script else {
            writeArrayHeader(command.argumentCount)
            writeBytes(command.encodedArguments)
            return
        }
        writeArrayHeader(command.argumentCount + 2)
        if knownScripts.insert(script.sha1).inserted {
            // EVAL leaves the script with the server, so later commands on this connection can name it.
            writeStaticString("$4\r\nEVAL\r\n$")
            writeString(String(script.source.count))
            writeStaticString("\r\n")
            writeBytes(script.source)
        } else {
            writeStaticString("$7\r\nEVALSHA\r\n$40\r\n")
            writeString(script.sha1)
        }
        writeStaticString("\r\n")
        writeBytes(command.encodedArguments)
    }

    private mutating func writeArrayHeader(_ count: Int) {
        guard count < 10 else {
            writeString("*\(count)\r\n")
            return
        }
        // `*<digit>\r\n` in one store.
        writeInteger(0x2A30_0D0A + UInt32(count) << 16)
    }
}
