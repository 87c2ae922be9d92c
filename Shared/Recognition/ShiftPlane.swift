/// A plane of shifts fitted to groups of bubbles, with those far off left out. Lengths are raster pixels.
struct ShiftPlane {
    private var x: [Double]
    private var y: [Double]

    init(_ groups: [BubbleGroup]) {
        x = [groups.map(\.shift.x).median ?? 0, 0, 0]
        y = [groups.map(\.shift.y).median ?? 0, 0, 0]
        var kept = groups
        for _ in 0..<3 {
            guard kept.count >= 8, let fitX = Self.fit(kept, \.shift.x), let fitY = Self.fit(kept, \.shift.y) else {
                return
            }
            x = fitX
            y = fitY
            let distances = groups.map { ($0.shift - shift(at: $0.centre)).length }
            let limit = max(2, 2.5 * (distances.median ?? 0))
            kept = zip(groups, distances).filter { $0.1 <= limit }.map(\.0)
        }
    }

    func shift(at place: Point) -> Point {
        Point(
            x: x[0] + x[1] * place.x / 1000 + x[2] * place.y / 1000,
            y: y[0] + y[1] * place.x / 1000 + y[2] * place.y / 1000)
    }

    private static func fit(_ groups: [BubbleGroup], _ value: KeyPath<BubbleGroup, Double>) -> [Double]? {
        var system = [[Double]](repeating: [0, 0, 0, 0], count: 3)
        for group in groups {
            let row = [1, group.centre.x / 1000, group.centre.y / 1000]
            for i in 0..<3 {
                for j in 0..<3 { system[i][j] += row[i] * row[j] }
                system[i][3] += row[i] * group[keyPath: value]
            }
            // A weak pull to flat keeps one column of groups from tilting the plane.
            system[1][1] += 0.002
            system[2][2] += 0.002
        }
        return solve(system)
    }
}
