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

    /// Points on an outline and just outside it, for one size of bubble.
    struct Ring {
        /// What to add to the index of a bubble's middle pixel: first the points outside, then those on the line.
        fileprivate(set) var offsets: [Int] = []
        /// Pixels around the middle that are looked at.
        fileprivate(set) var margin = 0
    }

    let style: Style
    /// An outline darker than this over its surroundings counts no more, so that marks do not outweigh print.
    private static let contrastCap = 0.4
    private static let points = 24

    /// Few sizes of bubble are on a page, and many of each.
    private var rings: [(reach: Point, width: Int, ring: Ring)] = []

    init(style: Style) {
        self.style = style
    }

    /// - Parameters:
    ///   - reach: Half the width and height of the bubble.
    ///   - width: Of the image that will be looked at.
    mutating func ring(_ reach: Point, imageWidth width: Int) -> Ring {
        if let known = rings.first(where: { $0.reach == reach && $0.width == width }) { return known.ring }
        let ring = makeRing(reach, imageWidth: width)
        rings.append((reach, width, ring))
        return ring
    }

    private func makeRing(_ reach: Point, imageWidth: Int) -> Ring {
        let gap = max(2, 0.26 * min(reach.x, reach.y))
        let (width, height) = (reach.x * style.size, reach.y * style.size)
        var onLine: [Int] = []
        var ring = Ring()
        for step in 0..<Self.points {
            // Half a step aside, so that no point sits on a corner of a box.
            let angle = (Double(step) + 0.5) / Double(Self.points) * 2 * Double.pi
            let (c, s) = (cos(angle), sin(angle))
            let radius = pow(pow(abs(c), style.roundness) + pow(abs(s), style.roundness), -1 / style.roundness)
            let (x, y) = (c * radius, s * radius)
            onLine.append(Int((y * height).rounded()) * imageWidth + Int((x * width).rounded()))
            let outside = (x: Int((x * (width + gap)).rounded()), y: Int((y * (height + gap)).rounded()))
            ring.offsets.append(outside.y * imageWidth + outside.x)
            ring.margin = max(ring.margin, abs(outside.x), abs(outside.y))
        }
        ring.offsets += onLine
        return ring
    }

    /// Adds the darkness of the outline over what lies just outside it, 0 to 1, capped, to `sums`, one for each shift.
    /// - Parameters:
    ///   - x: The column of the bubble's middle, without a shift.
    ///   - shifts: Differences in x and y.
    func addContrasts(
        _ ring: Ring, x: Int, y: Int, shifts: [(x: Int, y: Int)], inkFactor: Double, in image: GreyImage,
        to sums: inout [Double]
    ) {
        let margin = ring.margin
        ring.offsets.withUnsafeBufferPointer { offsets in
            for (index, shift) in shifts.enumerated() {
                let (x, y) = (x + shift.x, y + shift.y)
                guard x - margin >= 0, y - margin >= 0, x + margin < image.width, y + margin < image.height else {
                    continue
                }
                let middle = image.pixels + (y * image.width + x)
                var difference = 0
                for place in 0..<Self.points {
                    difference &+= Int(middle[offsets[place]]) &- Int(middle[offsets[Self.points &+ place]])
                }
                sums[index] += min(Double(difference) / Double(Self.points) * inkFactor, Self.contrastCap)
            }
        }
    }
}
