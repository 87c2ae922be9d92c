/// How figures are written.
enum Figure {
    /// Up to two decimals, none that are nought: `3`, `2.5`, `66.67`.
    static func points(_ value: Double) -> String {
        var text = fixed(value, decimals: 2)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// Two decimals, or a dash for what there is not.
    static func optional(_ value: Double?) -> String {
        value.map { fixed($0, decimals: 2) } ?? "–"
    }

    static func percent(_ share: Double?) -> String {
        share.map { fixed($0 * 100, decimals: 1) + "%" } ?? "–"
    }

    /// Rounded half away from nought; `value` is below 10^12.
    static func fixed(_ value: Double, decimals: Int) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "–" }
        let scale = (0..<decimals).reduce(1) { scale, _ in scale * 10 }
        let whole = Int((value * Double(scale)).rounded())
        let fraction = String(abs(whole) % scale + scale).dropFirst()
        return (whole < 0 ? "-" : "") + "\(abs(whole) / scale)" + (decimals > 0 ? "." + fraction : "")
    }
}
