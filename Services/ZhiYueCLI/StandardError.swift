internal import Glibc

/// Writes a line to standard error, where everything but a command's result goes.
func writeError(_ line: String) {
    var bytes = Array("\(line)\n".utf8)
    while !bytes.isEmpty {
        let count = write(STDERR_FILENO, bytes, bytes.count)
        if count < 0 && errno == EINTR { continue }
        // There is nobody left to tell.
        guard count > 0 else { return }
        bytes.removeFirst(count)
    }
}

/// So that a line is seen at once where standard output is no terminal.
func flushStandardOutput() {
    fflush(nil)
}
