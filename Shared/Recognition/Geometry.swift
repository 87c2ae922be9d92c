/// A place or a difference of places; the unit is told by the owner.
struct Point: Equatable, Sendable {
    var x: Double
    var y: Double

    static func + (a: Point, b: Point) -> Point { Point(x: a.x + b.x, y: a.y + b.y) }
    static func - (a: Point, b: Point) -> Point { Point(x: a.x - b.x, y: a.y - b.y) }
    static func * (a: Point, factor: Double) -> Point { Point(x: a.x * factor, y: a.y * factor) }

    var length: Double { (x * x + y * y).squareRoot() }

    /// Positive when `other` lies clockwise from self (y points down).
    func cross(_ other: Point) -> Double { x * other.y - y * other.x }
    func dot(_ other: Point) -> Double { x * other.x + y * other.y }
}

extension Sequence where Element == Double {
    /// The value below which `share` (0 to 1) of the elements lie; nil when there are none.
    func quantile(_ share: Double) -> Double? {
        let sorted = self.sorted()
        guard !sorted.isEmpty else { return nil }
        let place = share * Double(sorted.count - 1)
        let below = Int(place)
        let above = below + 1 < sorted.count ? below + 1 : below
        return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
    }

    var median: Double? { quantile(0.5) }
}
