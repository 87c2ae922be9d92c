import CTurboJPEG
import SheetPrinting

extension ScannedImage {
    func jpeg(quality: Int) throws(PrintingError) -> [UInt8] {
        guard let encoder = tjInitCompress() else { throw PrintingError(.drawingFailed, "no JPEG encoder") }
        defer { tjDestroy(encoder) }
        var output: UnsafeMutablePointer<UInt8>?
        var size: UInt = 0
        let format = channels == 1 ? TJPF_GRAY : TJPF_RGB
        let sampling = channels == 1 ? TJSAMP_GRAY : TJSAMP_420
        let status = pixels.withUnsafeBufferPointer { pixels in
            tjCompress2(
                encoder, pixels.baseAddress, Int32(width), 0, Int32(height), Int32(format.rawValue), &output, &size,
                Int32(sampling.rawValue), Int32(min(max(quality, 1), 100)), 0)
        }
        defer { tjFree(output) }
        guard status == 0, let output else {
            throw PrintingError(.drawingFailed, String(cString: tjGetErrorStr2(encoder)))
        }
        var bytes = [UInt8](UnsafeBufferPointer(start: output, count: Int(size)))
        // The encoder leaves the resolution out of the JFIF header; scanners write it.
        if bytes.count > 18, bytes[2...3] == [0xFF, 0xE0] {
            let density = UInt16(dpi.rounded())
            bytes[13] = 1
            for index in [14, 16] {
                bytes[index] = UInt8(density >> 8)
                bytes[index + 1] = UInt8(density & 255)
            }
        }
        return bytes
    }
}
