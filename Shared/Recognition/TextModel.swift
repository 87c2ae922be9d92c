import COpenVINO
import Domain

/// The network that reads a line of text, with its dictionary.
final class TextModel {
    /// Height of the image the network takes.
    static let height = 48
    /// Widths that are used: few, because the first image of a new width costs extra time.
    static let widths = [96, 160, 240, 320, 480, 640]

    private let model: OpaquePointer
    private let decoder: TextDecoder
    private var input: [Float] = []

    /// - Throws: `.readerUnavailable` when a file is missing or does not fit.
    init(modelDirectory: String, openVINODirectory: String) throws(ReadingFailure) {
        let path = modelDirectory + "/recognition.onnx"
        guard let dictionary = ONNXMetadata.value(of: "character", inFile: path) else {
            throw ReadingFailure(.readerUnavailable, "\(path) is missing or has no dictionary")
        }
        decoder = TextDecoder(dictionary: dictionary)
        var problem = [CChar](repeating: 0, count: 512)
        guard let model = openvino_load(openVINODirectory, path, &problem, problem.count) else {
            throw ReadingFailure(.readerUnavailable, Self.text(problem))
        }
        self.model = model
    }

    deinit {
        openvino_free(model)
    }

    /// Reads a line.
    /// - Parameter image: Dark on white, `height` pixels high, one of `widths` wide.
    func read(_ image: GreyImage, alphabet: String?) throws(ReadingFailure) -> TextDecoder.Line {
        precondition(image.height == Self.height)
        let count = image.width * image.height
        if input.count != 3 * count { input = [Float](repeating: 0, count: 3 * count) }
        for i in 0..<count {
            let value = Float(image.pixels[i]) / 127.5 - 1
            input[i] = value
            input[count + i] = value
            input[2 * count + i] = value
        }
        var output: UnsafePointer<Float>?
        var steps: Int64 = 0
        var classes: Int64 = 0
        var problem = [CChar](repeating: 0, count: 512)
        let failed = input.withUnsafeMutableBufferPointer { buffer in
            openvino_run(
                model, buffer.baseAddress, Int64(image.height), Int64(image.width), &output, &steps, &classes, &problem,
                problem.count)
        }
        guard failed == 0, let output, steps > 0, classes == decoder.characters.count + 1 else {
            throw ReadingFailure(
                .readerUnavailable,
                failed == 0 ? "the model has \(classes) classes for another dictionary" : Self.text(problem))
        }
        let scores = UnsafeBufferPointer(start: output, count: Int(steps * classes))
        return decoder.decode(scores, steps: Int(steps), classCount: Int(classes), alphabet: alphabet)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
