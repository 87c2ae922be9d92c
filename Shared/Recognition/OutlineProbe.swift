import Glibc

/// Tells how clearly the printed outlines of bubbles are seen at a place.
struct OutlineProbe {
    /// The form of the outline, |x|^roundness + |y|^roundness = 1, and its size compared to the layout's.
    struct Style: Equatable, Sendable {
        var roundness: Double
        var size: Double

        /// What this project prints: ellipses or boxes with round corners, just inside the bubble's measures.
        static let own = [Style(roundness: 2, size: 0.97), Style(roundness: 4, size: 0.96)]
        /// What others print; their templates give sizes loosely.
        static let foreign = [2.0, 6.0].flatMap { roundness in
            [0.7, 0.82, 0.95, 1.1, 1.25].map { Style(roundness: roundness, size: $0) }
        }
    }

    /// Points on an outline and just outside it, as offsets from the bubble's centre.
    struct Ring {
        fileprivate var onLine: [(x: Int, y: Int)] = []
        fileprivate var outside: [(x: Int, y: Int)] = []
        fileprivate var margin = 0
    }

    let style: Style
    /// An outline darker than this over its surroundings counts no more, so that marks do not outweigh print.
    private static let contrastCap = 0.4
    private static let points = 24

    func ring(_ reach: Point) -> Ring {
        let gap = max(2, 0.26 * min(reach.x, reach.y))
        let (width, height) = (reach.x * style.size, reach.y * style.size)
        var ring = Ring()
        for step in 0..<Self.points {
            // Half a step aside, so that no point sits on a corner of a box.
            let angle = (Double(step) + 0.5) / Double(Self.points) * 2 * Double.pi
            let (c, s) = (cos(angle), sin(angle))
            let radius = pow(pow(abs(c), style.roundness) + pow(abs(s), style.roundness), -1 / style.roundness)
            let (x, y) = (c * radius, s * radius)
            ring.onLine.append((Int((x * width).rounded()), Int((y * height).rounded())))
            ring.outside.append((Int((x * (width + gap)).rounded()), Int((y * (height + gap)).rounded())))
        }
        ring.margin = ring.outside.reduce(0) { max($0, abs($1.x), abs($1.y)) }
        return ring
    }

    /// Darkness of the outline over what lies just outside it, 0 to 1, capped.
    func contrast(_ ring: Ring, x: Int, y: Int, inkFactor: Double, on page: PageRaster) -> Double {
        let image = page.smooth
        let margin = ring.margin
        guard x - margin >= 0, y - margin >= 0, x + margin < image.width, y + margin < image.height else { return 0 }
        let middle = image.pixels + (y * image.width + x)
        var difference = 0
        for place in ring.outside { difference += Int(middle[place.y * image.width + place.x]) }
        for place in ring.onLine { difference -= Int(middle[place.y * image.width + place.x]) }
        return min(Double(difference) / Double(Self.points) * inkFactor, Self.contrastCap)
    }
}
