/// What happens to a page in the scanner.
package struct ScanConditions: Sendable {
    /// Pixels an inch.
    package var dpi: Double
    /// Degrees clockwise; 180 and more when fed upside down.
    package var rotation: Double
    /// Millimetres to the right and down.
    package var shift: (x: Double, y: Double)
    /// How much one side is larger than the other: −0.01 to 0.01.
    package var perspective: (x: Double, y: Double)
    /// Weight of the neighbours of a pixel, 0 to 0.25.
    package var blur: Double
    /// Deviation of the noise in grey levels.
    package var noise: Double
    /// Brightness of white paper, 0.8 to 1, and how it changes across and down the page.
    package var brightness: Double
    package var gradient: (x: Double, y: Double)
    /// Grey level of the blackest ink, 0 to 60.
    package var black: Double
    /// Specks of dust on a page.
    package var speckles: Int
    /// The paper's colour, as a factor for red, green and blue.
    package var tint: (red: Double, green: Double, blue: Double)
    package var isColour: Bool
    /// Grey level of the scanner's lid, seen beside the paper.
    package var background: UInt8

    /// Perfect: a straight, clean grey image.
    package static func clean(dpi: Double) -> ScanConditions {
        ScanConditions(
            dpi: dpi, rotation: 0, shift: (0, 0), perspective: (0, 0), blur: 0, noise: 0, brightness: 1,
            gradient: (0, 0), black: 0, speckles: 0, tint: (1, 1, 1), isColour: false, background: 255)
    }

    /// One page of a pile in an ordinary scanner, 150 to 300 dpi.
    package static func random(rates: SimulationRates, using generator: inout SeededGenerator) -> ScanConditions {
        // Most pages go in straight, a few nearly as crooked as they can.
        let lean = generator.uniform(-1...1)
        let isReversed = generator.chance(rates.upsideDown)
        let warmth = generator.uniform(0...0.06)
        return ScanConditions(
            dpi: generator.pick([(150.0, 0.2), (200, 0.5), (240, 0.15), (300, 0.15)]) ?? 200,
            rotation: lean * abs(lean) * rates.rotation + (isReversed ? 180 : 0),
            shift: (generator.uniform(-0.7...0.7), generator.uniform(-0.7...0.7)),
            perspective: (generator.uniform(-0.006...0.006), generator.uniform(-0.006...0.006)),
            blur: generator.uniform(0...0.22), noise: generator.uniform(1...7),
            brightness: generator.uniform(0.88...1),
            gradient: (generator.uniform(-0.08...0.08), generator.uniform(-0.08...0.08)),
            black: generator.uniform(0...50), speckles: Int.random(in: 0...40, using: &generator),
            tint: (1, 1 - warmth / 3, 1 - warmth), isColour: generator.chance(rates.colour),
            background: generator.pick([(UInt8(250), 0.6), (225, 0.2), (60, 0.2)]) ?? 250)
    }
}
