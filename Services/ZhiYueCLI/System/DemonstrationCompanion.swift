internal import Glibc

/// `zhiyue up --demo`: runs `zhiyue demo` once against the system that just became ready.
enum DemonstrationCompanion {
    static func run(beside system: RunningSystem, executable: String, environment: [String: String]) async {
        var environment = environment
        environment["DATA_DIR"] = system.dataDirectory
        let launch = ChildProcess.Launch(
            executable: executable, arguments: ["demo", "--url", system.url], environment: environment)
        do {
            let log = try ChildLog(name: "demo", directory: system.logDirectory, showsWarnings: false)
            let process = ChildProcess(launch, log: log)
            let ending = try await withTaskCancellationHandler {
                try await process.run()
            } onCancel: {
                process.send(SIGKILL)
            }
            if ending == .status(0) {
                writeError("zhiyue: the demonstration exam is marked; its report is \(log.path)")
            } else {
                writeError("zhiyue: the demonstration ended \(ending); see \(log.path)")
            }
        } catch {
            writeError("zhiyue: the demonstration did not start: \(error)")
        }
    }
}
