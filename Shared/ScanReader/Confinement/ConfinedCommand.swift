/// A program to be run as a confined child: it can compute, read what it is allowed to, and answer; no more.
///
/// Every child has no capabilities, `no_new_privs`, a filter that refuses sockets, new processes, signals and opening
/// for writing, no descriptors but 0, 1 and 2, no environment but `environment`, and ends when its parent does.
package struct ConfinedCommand: Sendable {
    /// Upper bounds of the child. Core dumps and files to write to are always refused.
    package struct Limits: Sendable {
        /// All mapped memory, libraries included, in bytes.
        package var addressSpace: Int
        /// Private writable memory in bytes: heap, stacks, anonymous mappings.
        package var data: Int
        /// Seconds of processor time. ``ConfinedProcess/allowProcessorTime(seconds:)`` moves it.
        package var processorSeconds: Int
        /// Seconds of processor time in the child's whole life, even if it ignores that the others are over.
        package var allProcessorSeconds: Int
        package var openFiles: Int

        /// - Parameter allProcessorSeconds: one more than `processorSeconds` when nil.
        package init(
            addressSpace: Int, data: Int, processorSeconds: Int, allProcessorSeconds: Int? = nil, openFiles: Int = 64
        ) {
            self.addressSpace = addressSpace
            self.data = data
            self.processorSeconds = processorSeconds
            self.allProcessorSeconds = allProcessorSeconds ?? processorSeconds + 1
            self.openFiles = openFiles
        }
    }

    /// What the child has as standard input. Its standard output always goes to the parent.
    package enum Input: Sendable {
        /// A conversation: what the parent sends.
        case channel
        case bytes([UInt8])
        /// A file of this machine, which the child may also open again by name.
        case file(String)
    }

    /// Absolute path of the program.
    package var path: String
    /// Without the program's name.
    package var arguments: [String]
    /// The whole environment, `NAME=value`.
    package var environment: [String]
    package var limits: Limits
    package var input: Input
    /// Files and directories the child may read where the kernel has Landlock; nil means all its user may read, for a
    /// child that confines itself once it has started.
    package var readable: [String]?

    package init(
        path: String, arguments: [String] = [], environment: [String] = [], limits: Limits, input: Input = .channel,
        readable: [String]? = nil
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.limits = limits
        self.input = input
        self.readable = readable
    }
}
