/// Bubbles that are read together: a question's options, or a digit's column. Lengths are raster pixels.
struct BubbleGroup {
    struct Spot {
        var value: String
        var centre: Point
        /// Half the width and height.
        var reach: Point
    }

    /// Index of the field in the page.
    var field: Int
    /// Groups with the same number were placed together and may be off together.
    var block: Int
    var spots: [Spot]
    /// How far the print was found from where the layout says.
    var shift = Point(x: 0, y: 0)
    /// Mean darkness of the printed outlines over the paper beside them, 0 to 1, at `shift`.
    var printContrast = 0.0

    var centre: Point {
        spots.reduce(Point(x: 0, y: 0)) { $0 + $1.centre } * (1 / Double(max(1, spots.count)))
    }
}
