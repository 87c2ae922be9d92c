/// An image as it comes from a scanner.
package struct ScannedImage: Sendable {
    package var width: Int
    package var height: Int
    /// 1 for grey, 3 for red, green, blue.
    package var channels: Int
    /// Pixels an inch.
    package var dpi: Double
    /// Rows from the top without padding.
    package var pixels: [UInt8]
}
