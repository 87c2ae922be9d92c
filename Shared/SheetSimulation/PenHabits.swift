/// What a student writes with.
package enum Instrument: Sendable, CaseIterable {
    case pencil
    case blackPen
    case bluePen
}

/// How a bubble is marked.
package enum MarkStyle: Sendable, CaseIterable {
    /// All of it, dark.
    case full
    /// All of it, with light pencil strokes.
    case light
    case tick
    case cross
    /// Half of it or more, dark.
    case partial
    /// All of it and somewhat beyond.
    case overflow
}

/// One student's way of marking and writing.
package struct PenHabits: Sendable {
    package var instrument: Instrument
    package var style: MarkStyle
    /// Share of marks in another style than `style`.
    package var changedStyle: Double
    /// Share of answers with an erased mark beside them; 0 for pens.
    package var erasures: Double
    /// How hard the pen is pressed, 0.75 to 1.
    package var pressure: Double
    /// Index of the handwriting.
    package var hand: Int
    /// Slant of the handwriting, −0.1 to 0.25 mm a mm.
    package var slant: Double

    /// The habits of one student of a class.
    package static func random(rates: SimulationRates, using generator: inout SeededGenerator) -> PenHabits {
        let unusual =
            rates.lightStudents + rates.tickingStudents + rates.crossingStudents + rates.partialStudents
            + rates.sloppyStudents
        let style =
            generator.pick([
                (MarkStyle.full, max(0, 1 - unusual)), (.light, rates.lightStudents), (.tick, rates.tickingStudents),
                (.cross, rates.crossingStudents), (.partial, rates.partialStudents), (.overflow, rates.sloppyStudents),
            ]) ?? .full
        var instrument = generator.pick([(Instrument.pencil, 0.55), (.blackPen, 0.35), (.bluePen, 0.1)]) ?? .pencil
        if style == .light { instrument = .pencil }
        if style == .tick || style == .cross, instrument == .pencil { instrument = .blackPen }
        return PenHabits(
            instrument: instrument, style: style, changedStyle: rates.changedStyle,
            erasures: instrument == .pencil ? rates.erasures : 0, pressure: generator.uniform(0.75...1),
            hand: Int.random(in: 0..<1000, using: &generator), slant: generator.uniform(-0.06...0.2))
    }
}
