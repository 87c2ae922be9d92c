import ChaosWorkload
import Domain
import TaskQueue

/// What was found of one task after a run.
struct FoundTask: Sendable {
    let id: TaskID
    let state: TaskState
    /// The fence in its result: that of the run that completed it.
    var fence: Int64?
    var error: String?
}

extension FoundTask {
    init(_ record: TaskRecord) {
        id = record.id
        state = record.state
        if case .object(let result) = record.result, case .integer(let fence) = result["fence"] { self.fence = fence }
        error = record.error
    }
}

/// What was found of all tasks after a run.
struct TaskFindings: Sendable {
    /// As the queue lists them.
    var tasks: [FoundTask] = []
    /// The fences of each task's runs.
    var runs: [TaskID: [Int64]] = [:]
    /// Effects in the order they were made.
    var effects: [TaskID] = []
    /// Whose handler was told of the final failure.
    var finalFailures: Set<TaskID> = []
    /// How often the queue itself counted a task to end so.
    var ends: [TaskState: Int] = [:]
    /// What the queue still holds of tasks that run or are to run: places that nobody can take any more.
    var leftOver: [String] = []
    /// Effects that were there already, refused by the guard.
    var refusedRepeats = 0
    /// Effects of runs that had a successor, refused by the guard.
    var lateEffects = 0
    /// Reports of such runs, refused by the queue.
    var lateReports = 0
    /// Submissions of tasks that were there already: because a reply was lost, or a producer killed before it took note.
    var submittedAgain = 0
    /// Acknowledged tasks that the queue took once more.
    var takenTwice = 0
}

/// The accounting: every task whose submission was acknowledged has come to its right end, and to its effect once.
///
/// - A task ends as completed with one effect; a poisonous one as dead, its handler told; one that was cancelled may end
///   as cancelled, with at most one effect, or have been quicker. Anything else is lost work.
/// - Doubled is an effect beyond the first, and also whatever shows that the queue gave work out twice although the guard
///   of effects hid it: a run that was claimed after the completing one, two runs of one claim, two claims with one
///   fence, a task that ended twice or is listed twice.
/// - Runs beyond the planned ones are no fault: a killed worker's tasks run again. They are counted.
struct TaskVerdict {
    var submitted = 0
    var completed = 0
    var dead = 0
    var cancelled = 0
    var executions = 0
    /// Runs beyond those that were planned.
    var repeated = 0
    var refusedLate = 0
    /// A sentence for each.
    var lost: [String] = []
    var doubled: [String] = []

    var isClean: Bool { lost.isEmpty && doubled.isEmpty }

    init(plans: [TaskPlan], findings: TaskFindings) {
        submitted = plans.count
        refusedLate = findings.lateEffects + findings.lateReports
        executions = findings.runs.values.reduce(0) { $0 + $1.count }
        let tasks = Dictionary(grouping: findings.tasks, by: \.id)
        let effects = Dictionary(grouping: findings.effects, by: { $0 }).mapValues(\.count)
        for plan in plans {
            let id = plan.task.id
            let runs = findings.runs[id] ?? []
            repeated += max(0, runs.count - plan.runs)
            guard let task = tasks[id]?.first else {
                lost.append("\(id) is unknown")
                continue
            }
            judge(plan, task, runs: runs, effects: effects[id] ?? 0, isTold: findings.finalFailures.contains(id))
        }
        for (id, listed) in tasks where listed.count > 1 { doubled.append("\(id) is listed \(listed.count) times") }
        for (id, count) in effects where count > 1 { doubled.append("\(id) had \(count) effects") }
        let fences = findings.runs.values.joined()
        if Set(fences).count < fences.count { doubled.append("runs share \(fences.count - Set(fences).count) fences") }
        if findings.takenTwice > 0 { doubled.append("\(findings.takenTwice) tasks were taken twice") }
        compare(findings.ends)
        lost += findings.leftOver.map { "\($0) are left over" }
    }

    private mutating func judge(_ plan: TaskPlan, _ task: FoundTask, runs: [Int64], effects: Int, isTold: Bool) {
        let id = plan.task.id
        switch task.state {
        case .completed:
            completed += 1
            if plan.isPoison || effects == 0 { lost.append("\(id) is completed without its effect") }
            guard let fence = task.fence, runs.contains(fence) else {
                return lost.append("\(id) is completed without a run")
            }
            if runs.contains(where: { $0 > fence }) { doubled.append("\(id) was completed by \(fence) of \(runs)") }
        case .failed:
            dead += 1
            if !plan.isPoison { lost.append("\(id) is dead: \(task.error ?? "")") }
            if !isTold { lost.append("\(id) is dead and its handler does not know") }
        case .cancelled:
            cancelled += 1
            if !plan.isCancelled { lost.append("\(id) is cancelled and nobody asked for that") }
        case .ready, .scheduled, .running, .waiting:
            lost.append("\(id) is still \(task.state)")
        }
    }

    private mutating func compare(_ ends: [TaskState: Int]) {
        for (state, found) in [(TaskState.completed, completed), (.failed, dead), (.cancelled, cancelled)] {
            let counted = ends[state, default: 0]
            if counted > found { doubled.append("the queue counted \(counted) as \(state), there are \(found)") }
            if counted < found { lost.append("the queue counted \(counted) as \(state), there are \(found)") }
        }
    }
}

extension TaskVerdict: CustomStringConvertible {
    var description: String {
        """
        submitted=\(submitted) completed=\(completed) dead=\(dead) cancelled=\(cancelled) executions=\(executions) \
        repeated=\(repeated) refused_late=\(refusedLate) lost=\(lost.count) doubled=\(doubled.count)
        """
    }
}
