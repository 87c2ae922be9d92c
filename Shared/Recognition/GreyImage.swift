import CVision

/// An 8-bit grey picture, 0 black to 255 white, rows without gaps. It keeps its memory when it is reshaped to something
/// smaller, so a reader that sees many pages allocates once.
final class GreyImage {
    private(set) var pixels: UnsafeMutablePointer<UInt8>
    private(set) var width: Int
    private(set) var height: Int
    private var capacity: Int

    init(width: Int = 1, height: Int = 1) {
        precondition(width > 0 && height > 0)
        self.width = width
        self.height = height
        capacity = width * height
        pixels = .allocate(capacity: capacity)
        pixels.initialize(repeating: 255, count: capacity)
    }

    deinit {
        pixels.deallocate()
    }

    /// Gives the image another size. The pixels are undefined afterwards.
    func reshape(width: Int, height: Int) {
        precondition(width > 0 && height > 0)
        let needed = width * height
        // A page of ordinary size keeps its memory; after a giant one the memory is given back.
        if needed > capacity || capacity > max(4 * needed, 16_000_000) {
            pixels.deallocate()
            pixels = .allocate(capacity: needed)
            pixels.initialize(repeating: 255, count: needed)
            capacity = needed
        }
        self.width = width
        self.height = height
    }

    var view: VisionImage {
        VisionImage(data: pixels, width: Int32(width), height: Int32(height), stride: Int32(width))
    }

    /// A part of the image that shares its memory, or nil when nothing of the rectangle is inside.
    func view(left: Int, top: Int, width: Int, height: Int) -> VisionImage? {
        let x = max(0, left)
        let y = max(0, top)
        let right = min(self.width, left + width)
        let bottom = min(self.height, top + height)
        guard right > x, bottom > y else { return nil }
        return VisionImage(
            data: pixels + (y * self.width + x), width: Int32(right - x), height: Int32(bottom - y),
            stride: Int32(self.width))
    }

    /// The pixel at a place, or at the nearest one inside.
    subscript(x: Int, y: Int) -> UInt8 {
        get { pixels[min(max(y, 0), height - 1) * width + min(max(x, 0), width - 1)] }
        set {
            guard x >= 0, y >= 0, x < width, y < height else { return }
            pixels[y * width + x] = newValue
        }
    }

    /// Bilinear value at a place in pixel units (whole numbers are pixel centres).
    func sample(_ x: Double, _ y: Double) -> Double {
        let left = x.rounded(.down)
        let top = y.rounded(.down)
        guard left.isFinite, top.isFinite, abs(left) < 1e6, abs(top) < 1e6 else { return 255 }
        let column = Int(left)
        let row = Int(top)
        let right = x - left
        let below = y - top
        let upper = Double(self[column, row]) * (1 - right) + Double(self[column + 1, row]) * right
        let lower = Double(self[column, row + 1]) * (1 - right) + Double(self[column + 1, row + 1]) * right
        return upper * (1 - below) + lower * below
    }
}
