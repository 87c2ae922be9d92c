/// A projective mapping of one plane onto another, row-major.
struct Homography: Sendable {
    var m: [Double]

    static let identity = Homography(m: [1, 0, 0, 0, 1, 0, 0, 0, 1])

    static func scale(_ x: Double, _ y: Double, thenMove offset: Point = Point(x: 0, y: 0)) -> Homography {
        Homography(m: [x, 0, offset.x, 0, y, offset.y, 0, 0, 1])
    }

    func callAsFunction(_ p: Point) -> Point {
        let w = m[6] * p.x + m[7] * p.y + m[8]
        // Places on the horizon are sent far away rather than divided by zero.
        let safe = abs(w) < 1e-12 ? 1e-12 : w
        return Point(x: (m[0] * p.x + m[1] * p.y + m[2]) / safe, y: (m[3] * p.x + m[4] * p.y + m[5]) / safe)
    }

    /// First `inner`, then self.
    func after(_ inner: Homography) -> Homography {
        var product = [Double](repeating: 0, count: 9)
        for row in 0..<3 {
            for column in 0..<3 {
                for k in 0..<3 { product[row * 3 + column] += m[row * 3 + k] * inner.m[k * 3 + column] }
            }
        }
        return Homography(m: product)
    }

    var inverse: Homography? {
        let determinant =
            m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6])
            + m[2] * (m[3] * m[7] - m[4] * m[6])
        guard determinant.isFinite, abs(determinant) > 1e-15 else { return nil }
        let adjugate = [
            m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
            m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
            m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3],
        ]
        return Homography(m: adjugate.map { $0 / determinant })
    }

    /// The mapping that takes each `from` to its `to`, in the least-squares sense: projective from four pairs on,
    /// affine with three or when asked. Nil when the places are on a line or too few.
    init?(from: [Point], to: [Point], affine: Bool = false) {
        guard from.count == to.count, from.count >= 3 else { return nil }
        let projective = from.count >= 4 && !affine
        let unknowns = projective ? 8 : 6
        // Centred and scaled coordinates keep the normal equations well conditioned.
        guard let source = Normalisation(from), let destination = Normalisation(to) else { return nil }
        var normal = [[Double]](repeating: [Double](repeating: 0, count: unknowns + 1), count: unknowns)
        func add(_ row: [Double], _ value: Double) {
            for i in 0..<unknowns {
                for j in 0..<unknowns { normal[i][j] += row[i] * row[j] }
                normal[i][unknowns] += row[i] * value
            }
        }
        for (a, b) in zip(from, to) {
            let p = source.apply(a)
            let q = destination.apply(b)
            let tail = projective
            add([p.x, p.y, 1, 0, 0, 0] + (tail ? [-q.x * p.x, -q.x * p.y] : []), q.x)
            add([0, 0, 0, p.x, p.y, 1] + (tail ? [-q.y * p.x, -q.y * p.y] : []), q.y)
        }
        guard let solution = solve(normal) else { return nil }
        let inner = Homography(m: projective ? solution + [1] : solution + [0, 0, 1])
        let back = Homography.scale(destination.spread, destination.spread, thenMove: destination.centre)
        let forth = Homography.scale(
            1 / source.spread, 1 / source.spread, thenMove: source.centre * (-1 / source.spread))
        self = back.after(inner).after(forth)
        guard m.allSatisfy(\.isFinite) else { return nil }
    }

    init(m: [Double]) {
        self.m = m
    }
}

private struct Normalisation {
    var centre: Point
    var spread: Double

    init?(_ points: [Point]) {
        let count = Double(points.count)
        centre = points.reduce(Point(x: 0, y: 0), +) * (1 / count)
        let middle = centre
        spread = points.map { ($0 - middle).length }.reduce(0, +) / count
        guard spread > 1e-9, spread.isFinite else { return nil }
    }

    func apply(_ p: Point) -> Point { (p - centre) * (1 / spread) }
}

/// Solves a square system given with its right side as last column, by elimination with pivots.
func solve(_ system: [[Double]]) -> [Double]? {
    var rows = system
    let count = rows.count
    for column in 0..<count {
        guard let pivot = (column..<count).max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }),
            abs(rows[pivot][column]) > 1e-10
        else { return nil }
        rows.swapAt(column, pivot)
        for row in 0..<count where row != column {
            let factor = rows[row][column] / rows[column][column]
            guard factor != 0 else { continue }
            for k in column...count { rows[row][k] -= factor * rows[column][k] }
        }
    }
    return (0..<count).map { rows[$0][count] / rows[$0][$0] }
}
