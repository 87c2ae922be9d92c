import Domain
import Testing

/// The accounting must see what it is there to see.
struct VerdictTests {
    private func verdict(
        _ outcomes: [Publication.Outcome] = [.ok, .ok, .ok], poison: Set<Int> = [], stream: [Int] = [0, 1, 2],
        applied: [Int], dead: [Int] = []
    ) -> Verdict {
        let publications = outcomes.enumerated().map { number, outcome in
            Publication(
                exam: "e", number: number, isPoison: poison.contains(number), outcome: outcome, finished: .now)
        }
        let observation = Observation(group: "g", exam: "e", stream: stream, applied: applied, deadLettered: dead)
        return Verdict(publications: publications, observations: [observation])
    }

    @Test func everythingOnceAndInOrderIsClean() {
        #expect(verdict(applied: [0, 1, 2]).isClean)
        #expect(verdict(poison: [1], applied: [0, 2], dead: [1]).isClean)
    }

    @Test func aSecondEffectIsADuplicate() {
        #expect(verdict(applied: [0, 1, 1, 2]).duplicates == 1)
        #expect(verdict(poison: [1], applied: [0, 2], dead: [1, 1]).duplicates == 1)
    }

    @Test func aMissingEffectIsLost() {
        #expect(verdict(applied: [0, 2]).lost == 1)
        #expect(verdict(poison: [1], applied: [0, 2]).lost == 1)
        // Given up although it could have been handled.
        #expect(verdict(applied: [0, 2], dead: [1]).lost == 1)
    }

    @Test func overtakingIsOutOfOrder() {
        #expect(verdict(applied: [1, 0, 2]).outOfOrder == 1)
        // The stream itself has them in another order than their publisher.
        #expect(verdict(stream: [1, 0, 2], applied: [1, 0, 2]).outOfOrder == 1)
    }

    @Test func anUnknownOutcomeMayBeEitherButNotTwice() {
        let outcomes: [Publication.Outcome] = [.ok, .unknown, .ok]
        #expect(verdict(outcomes, stream: [0, 2], applied: [0, 2]).isClean)
        #expect(verdict(outcomes, applied: [0, 1, 2]).unknownAppended == 1)
        // Appended late, after its caller had gone on.
        #expect(verdict(outcomes, stream: [0, 2, 1], applied: [0, 2, 1]).isClean)
        #expect(verdict(outcomes, stream: [0, 1, 1, 2], applied: [0, 1, 1, 2]).duplicates == 1)
    }

    @Test func anEffectOfWhatFailedIsImpossible() {
        #expect(verdict([.ok, .failed, .ok], applied: [0, 1, 2]).impossible == 1)
        #expect(verdict(poison: [1], applied: [0, 1, 2], dead: [1]).impossible == 1)
    }
}
