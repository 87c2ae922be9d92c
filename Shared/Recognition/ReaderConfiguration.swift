/// How pages are read. The defaults are measured; only paths need to be given.
package struct ReaderConfiguration: Sendable {
    /// Where `recognition.onnx` is; nil reads no text (text fields are then flagged `unreadable` unless blank).
    package var modelDirectory: String?
    /// Where `libopenvino_c.so` is, with or without a version at its end.
    package var openVINODirectory: String?
    /// Largest image decoded, in pixels.
    package var maxPixels = 120_000_000
    /// Below this many source pixels a millimetre a page is flagged `lowResolution` (3.6 is 91 dpi).
    package var lowResolution = 3.6
    /// Text read with less confidence than this is flagged `uncertain`, 0 to 1. Letters are mistaken for their
    /// lookalikes with up to 0.91 (g for j in a joined hand).
    package var textConfidence = 0.95
    /// The same where only few characters can be, as in a number, so that most mistakes are ruled out beforehand.
    package var alphabetConfidence = 0.85
    /// There, text is flagged too when something is left out of it with a larger probability than this, 0 to 1. Lost
    /// decimal points have 0.12 and more, numbers read in full 0.002 and less.
    package var omission = 0.02
    /// Thresholds for bubbles.
    package var bubbles = BubbleThresholds()

    package init(modelDirectory: String? = nil, openVINODirectory: String? = nil, maxPixels: Int = 120_000_000) {
        self.modelDirectory = modelDirectory
        self.openVINODirectory = openVINODirectory
        self.maxPixels = maxPixels
    }
}
