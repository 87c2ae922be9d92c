/// A deterministic source of randomness (SplitMix64): the same seed gives the same sheets everywhere.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    /// A generator of its own for the `index`-th of many things made from one seed.
    package init(seed: UInt64, index: Int) {
        var mixer = SeededGenerator(seed: seed ^ (UInt64(truncatingIfNeeded: index) &* 0xD6E8_FEB8_6659_FD93))
        state = mixer.next()
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        Double.random(in: range, using: &self)
    }

    /// True with the given probability.
    mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &self) < probability
    }

    /// Roughly normal, within ±3 of its deviation 1 (the sum of twelve uniforms would reach 6).
    mutating func normal() -> Double {
        var sum = 0.0
        for _ in 0..<6 { sum += uniform(-1...1) }
        return sum / 2.0.squareRoot()
    }

    /// One of `choices` by weight.
    mutating func pick<Choice>(_ choices: [(choice: Choice, weight: Double)]) -> Choice? {
        var rest = uniform(0...max(choices.reduce(0) { $0 + $1.weight }, .leastNonzeroMagnitude))
        for (choice, weight) in choices {
            rest -= weight
            if rest <= 0 { return choice }
        }
        return choices.last?.choice
    }
}
