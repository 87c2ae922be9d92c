internal import Synchronization

/// Sends what several callers ask for at the same time in one call: all that comes while calls are on their way goes into
/// the next. Under load a call of Redis then serves many; what comes alone is sent at once. Two calls at a time, so that
/// Redis works on one while the answers of the other are given out; they may overtake each other.
final class Coalescer<Item: Sendable, Answer: Sendable>: Sendable {
    private struct Entry {
        let item: Item
        let caller: CheckedContinuation<Result<Answer, any Error>, Never>
    }

    private struct State {
        var waiting: [Entry] = []
        /// Calls on their way, or about to be.
        var calls = 0
    }

    private static var mostCalls: Int { 2 }

    private let most: Int
    private let call: @Sendable ([Item]) async throws -> [Answer]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - most: Items of one call.
    ///   - call: Returns an answer for each item, in their order. When it throws, all of its callers get that error.
    init(most: Int, call: @escaping @Sendable ([Item]) async throws -> [Answer]) {
        self.most = most
        self.call = call
    }

    /// Does not end early when cancelled: its item is on its way with those of others.
    func send(_ item: Item) async throws -> Answer {
        let result = await withCheckedContinuation { continuation in
            let mayCall = state.withLock { state in
                state.waiting.append(Entry(item: item, caller: continuation))
                guard state.calls < Self.mostCalls else { return false }
                state.calls += 1
                return true
            }
            if mayCall { Task { await self.sendWaiting() } }
        }
        return try result.get()
    }

    private func sendWaiting() async {
        while true {
            let entries = state.withLock { state in
                let entries = Array(state.waiting.prefix(most))
                state.waiting.removeFirst(entries.count)
                if entries.isEmpty { state.calls -= 1 }
                return entries
            }
            if entries.isEmpty { return }
            do {
                let answers = try await call(entries.map(\.item))
                precondition(answers.count == entries.count, "an answer for each item")
                for (entry, answer) in zip(entries, answers) { entry.caller.resume(returning: .success(answer)) }
            } catch {
                for entry in entries { entry.caller.resume(returning: .failure(error)) }
            }
            // Under load, those that are about to ask come along: a call costs Redis as much as several items.
            if entries.count > 1 { try? await Task.sleep(for: .microseconds(200)) }
        }
    }
}
