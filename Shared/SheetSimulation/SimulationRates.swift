/// How often students and scanners do what makes a sheet hard to read. Rates are 0 to 1.
package struct SimulationRates: Equatable, Sendable {
    /// Students who fill lightly with a hard pencil, tick, cross, fill only part of a bubble, or fill beyond it; the
    /// rest fill bubbles as asked.
    package var lightStudents: Double
    package var tickingStudents: Double
    package var crossingStudents: Double
    package var partialStudents: Double
    package var sloppyStudents: Double
    /// Marks a student makes in another way than usual.
    package var changedStyle: Double
    /// Answers that were changed: the old mark erased (with a pencil) but still faintly there.
    package var erasures: Double
    /// Questions left without an answer.
    package var blanks: Double
    /// Single choices with two marks.
    package var doubleMarks: Double
    /// Pages fed upside down.
    package var upsideDown: Double
    /// Largest rotation of a scan in degrees.
    package var rotation: Double
    /// Scans in colour; the rest are grey.
    package var colour: Double

    /// A careful class and a good scanner.
    package static let clean = SimulationRates(
        lightStudents: 0, tickingStudents: 0, crossingStudents: 0, partialStudents: 0, sloppyStudents: 0,
        changedStyle: 0, erasures: 0, blanks: 0, doubleMarks: 0, upsideDown: 0, rotation: 0.5, colour: 0.2)

    /// What a school meets.
    package static let ordinary = SimulationRates(
        lightStudents: 0.08, tickingStudents: 0.04, crossingStudents: 0.04, partialStudents: 0.06,
        sloppyStudents: 0.06, changedStyle: 0.02, erasures: 0.01, blanks: 0.004, doubleMarks: 0.003, upsideDown: 0.08,
        rotation: 5, colour: 0.3)

    /// Everything difficult, often.
    package static let difficult = SimulationRates(
        lightStudents: 0.2, tickingStudents: 0.12, crossingStudents: 0.12, partialStudents: 0.15, sloppyStudents: 0.15,
        changedStyle: 0.15, erasures: 0.06, blanks: 0.03, doubleMarks: 0.02, upsideDown: 0.2, rotation: 5, colour: 0.4)
}
