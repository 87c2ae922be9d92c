/// What `TasksBench` found. Parts that were not measured are left out of the JSON.
struct TasksBenchFigures: BenchFigures {
    struct Milliseconds: Encodable {
        let p50: Double
        let p95: Double
        let p99: Double
    }

    struct Recovery: Encodable {
        let p50: Double
        let max: Double
    }

    struct Replicas: Encodable {
        let replicas: Int
        let completedPerSecond: Int
        /// Of so many times the rate of one.
        let linear: Double

        enum CodingKeys: String, CodingKey {
            case replicas
            case completedPerSecond = "completed_per_second"
            case linear
        }
    }

    /// What the scripts take of Redis.
    struct Script: Encodable {
        /// CPU time of Redis inside of scripts, for a task.
        let microseconds: Double
        /// Of one core, at the rate that was reached.
        let share: Double

        init(microseconds: Double, rate: BenchRate) {
            self.microseconds = rounded(microseconds)
            share = rounded(microseconds * rate.perSecond / 1e6)
        }
    }

    private var submitPerSecond: Int?
    private var submitBatchPerSecond: Int?
    private var completedPerSecond: Int?
    private var scripts: [String: Script] = [:]
    private var rates: [String: String] = [:]
    var bytesPerTask: Int?
    var pickup: Milliseconds?
    var recovery: Recovery?
    var lost: Int?
    var duplicated: Int?
    var replicas: [Replicas]?

    enum CodingKeys: String, CodingKey {
        case submitPerSecond = "submit_per_second"
        case submitBatchPerSecond = "submit_batch_per_second"
        case completedPerSecond = "completed_per_second"
        case scripts = "redis_scripts"
        case bytesPerTask = "bytes_per_task"
        case pickup = "pickup_ms"
        case recovery = "recovery_seconds"
        case lost, duplicated, replicas
    }

    mutating func setSubmitting(_ rate: BenchRate, script: Double) {
        submitPerSecond = Int(rate.perSecond)
        note("submit", rate, script)
    }

    mutating func setBatches(_ rate: BenchRate, script: Double) {
        submitBatchPerSecond = Int(rate.perSecond)
        note("submit_batch", rate, script)
    }

    mutating func setCompleting(_ rate: BenchRate, script: Double) {
        completedPerSecond = Int(rate.perSecond)
        note("complete", rate, script)
    }

    private mutating func note(_ name: String, _ rate: BenchRate, _ script: Double) {
        let script = Script(microseconds: script, rate: rate)
        scripts[name] = script
        rates[name] = "\(rate), scripts \(script.microseconds) µs, \(script.share) of one core of Redis"
    }

    func table() -> String {
        var lines: [String] = []
        func add(_ name: String, _ value: String?) {
            if let value { lines.append(name + String(repeating: " ", count: max(1, 40 - name.count)) + value) }
        }
        add("Submitted one by one", rates["submit"])
        add("Submitted in batches of 100", rates["submit_batch"])
        add("Claimed, run and completed", rates["complete"])
        add("Memory of a queued task", bytesPerTask.map { "\($0) bytes" })
        add("Picked up after", pickup.map { "p50 \($0.p50) ms, p95 \($0.p95) ms, p99 \($0.p99) ms" })
        add("Recovered from SIGKILL after", recovery.map { "p50 \($0.p50) s, max \($0.max) s" })
        for figure in replicas ?? [] {
            add(
                "20 ms tasks, \(figure.replicas) replicas",
                "\(figure.completedPerSecond)/s (\(figure.linear) of linear)")
        }
        return lines.joined(separator: "\n")
    }
}
