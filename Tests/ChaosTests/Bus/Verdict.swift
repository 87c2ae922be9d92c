import Domain

/// One event, as its publisher knows of it.
struct Publication: Sendable {
    enum Outcome: Sendable, Equatable {
        /// The bus said where it is.
        case ok
        /// The bus said that it is nowhere.
        case failed
        /// It may be anywhere, or nowhere.
        case unknown
    }

    let exam: ExamID
    /// Rises within an exam in the order of publishing: the next was not begun before this one had its outcome.
    let number: Int
    /// No try to handle it ever succeeds.
    let isPoison: Bool
    var outcome: Outcome
    /// When the outcome was known.
    var finished: ContinuousClock.Instant
}

/// What was found of an exam's events after the run, for one group.
struct Observation: Sendable {
    let group: String
    let exam: ExamID
    /// The stream's events in their order.
    var stream: [Int]
    /// Effects in the order they were made.
    var applied: [Int]
    var deadLettered: [Int]
}

/// The accounting: every event that was published must have taken effect exactly once per group, in order per exam; one
/// whose outcome is unknown at most once; one that failed never.
struct Verdict: Equatable {
    var ok = 0
    var unknown = 0
    var failed = 0
    /// Effects and dead letters of all groups.
    var applied = 0
    var deadLettered = 0
    /// Of the unknown events, those that turned out to be in the stream.
    var unknownAppended = 0

    /// Effects or dead letters beyond the first.
    var duplicates = 0
    /// Effects after that of a later event.
    var outOfOrder = 0
    /// Published, but without its effect (or its dead letter, if none of its tries succeeds).
    var lost = 0
    /// Effects of events that failed to be published, or that no try can have handled; dead letters of harmless ones.
    var impossible = 0

    var isClean: Bool { duplicates == 0 && outOfOrder == 0 && lost == 0 && impossible == 0 }

    init(publications: [Publication], observations: [Observation]) {
        for publication in publications {
            switch publication.outcome {
            case .ok: ok += 1
            case .failed: failed += 1
            case .unknown: unknown += 1
            }
        }
        let byExam = Dictionary(grouping: publications, by: \.exam)
        for observation in observations { judge(observation, byExam[observation.exam] ?? []) }
        for exam in Dictionary(grouping: observations, by: \.exam).values {
            let unknown = Set((byExam[exam[0].exam] ?? []).filter { $0.outcome == .unknown }.map(\.number))
            unknownAppended += unknown.intersection(exam[0].stream).count
        }
    }

    private mutating func judge(_ observation: Observation, _ publications: [Publication]) {
        applied += observation.applied.count
        deadLettered += observation.deadLettered.count
        let effects = Set(observation.applied)
        let dead = Set(observation.deadLettered)
        duplicates += observation.applied.count - effects.count
        duplicates += observation.deadLettered.count - dead.count
        for publication in publications {
            let (wanted, unwanted) = publication.isPoison ? (dead, effects) : (effects, dead)
            if publication.outcome == .ok, !wanted.contains(publication.number) { lost += 1 }
            if publication.outcome == .failed, wanted.contains(publication.number) { impossible += 1 }
            if unwanted.contains(publication.number) { impossible += 1 }
        }
        // Events with a known outcome are in the stream in the order of their publishing, and all take effect in the
        // order of the stream.
        let ok = Set(publications.filter { $0.outcome == .ok }.map(\.number))
        outOfOrder += Self.inversions(observation.stream.filter(ok.contains))
        let places = Dictionary(
            observation.stream.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        outOfOrder += Self.inversions(observation.applied.compactMap { places[$0] })
    }

    /// How many come after a greater one.
    private static func inversions(_ numbers: [Int]) -> Int {
        var greatest = Int.min
        var count = 0
        for number in numbers {
            if number < greatest { count += 1 }
            greatest = max(greatest, number)
        }
        return count
    }
}

extension Verdict: CustomStringConvertible {
    var description: String {
        """
        published ok=\(ok) unknown=\(unknown) (\(unknownAppended) appended) failed=\(failed); applied=\(applied) \
        dead_lettered=\(deadLettered); duplicates=\(duplicates) out_of_order=\(outOfOrder) lost=\(lost) \
        impossible=\(impossible)
        """
    }
}
