internal import CSandbox
internal import Glibc

extension ConfinedCommand {
    /// The command as C has it, valid during `body`.
    func withLaunch(
        input: Int32, output: Int32, error: Int32, _ body: (inout sandbox_launch) -> Int32
    ) -> Int32 {
        withStrings([path] + arguments) { arguments in
            withStrings(environment) { environment in
                withStrings(allReadable) { readable in
                    var launch = sandbox_launch()
                    launch.path = UnsafePointer(arguments[0])
                    launch.arguments = UnsafePointer(arguments)
                    launch.environment = UnsafePointer(environment)
                    launch.input = input
                    launch.output = output
                    launch.error = error
                    launch.limits = sandbox_limits(
                        address_space_bytes: UInt64(limits.addressSpace), data_bytes: UInt64(limits.data),
                        cpu_seconds: UInt64(limits.processorSeconds),
                        all_cpu_seconds: UInt64(limits.allProcessorSeconds), open_files: UInt64(limits.openFiles))
                    return readable.withMemoryRebound(to: UnsafePointer<CChar>?.self, capacity: 1) {
                        launch.readable = self.readable == nil ? nil : UnsafePointer($0)
                        return body(&launch)
                    }
                }
            }
        }
    }
}

extension ConfinedCommand {
    private var allReadable: [String] {
        if case .file(let path) = input { (readable ?? []) + [path] } else { readable ?? [] }
    }
}

/// `strings` as a C array of C strings that ends with NULL, valid during `body`.
func withStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = strings.map { strdup($0) } + [nil]
    defer {
        for pointer in pointers { free(pointer) }
    }
    return pointers.withUnsafeMutableBufferPointer { buffer in
        // Never empty, so there is a base address.
        guard let start = buffer.baseAddress else { preconditionFailure("an array with elements has an address") }
        return body(start)
    }
}

func stageName(_ stage: Int32) -> String {
    switch sandbox_stage(rawValue: UInt32(stage)) {
    case SANDBOX_FORK: "fork"
    case SANDBOX_PARENT_GONE: "the parent ended"
    case SANDBOX_DESCRIPTORS: "placing its descriptors"
    case SANDBOX_LIMITS: "setting its limits"
    case SANDBOX_PRIVILEGES: "dropping its privileges"
    case SANDBOX_FILTER: "confining it"
    case SANDBOX_EXECUTE: "executing the program"
    default: "preparing"
    }
}

/// The system's words for an error number.
func systemMessage(_ number: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
