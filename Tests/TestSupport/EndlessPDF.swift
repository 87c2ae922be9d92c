/// A PDF of a few kilobytes that nobody has the time to draw: its page draws a form twenty times, that one another twenty
/// times, and so on down to 20⁸ rectangles.
package enum EndlessPDF {
    private static let depth = 8

    package static var bytes: [UInt8] {
        var text = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        text += "2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
        text += "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        text += "/Resources<</XObject<</F1 5 0 R>>>>>>endobj\n"
        for level in 0...depth { text += form(level) }
        return Array((text + "trailer<</Root 1 0 R/Size \(depth + 5)>>\n%%EOF\n").utf8)
    }

    private static func form(_ level: Int) -> String {
        let isLast = level == depth
        let drawing = isLast ? "0 0 9 9 re f" : String(repeating: "/F\(level + 1) Do ", count: 20)
        let forms = isLast ? "" : "/XObject<</F\(level + 1) \(level + 5) 0 R>>"
        return "\(level + 4) 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<<\(forms)>>"
            + "/Length \(drawing.utf8.count)>>stream\n\(drawing)\nendstream endobj\n"
    }
}
