/// How images are read. The defaults suit A4 and A3 sheets.
package struct ScanReaderConfiguration: Sendable {
    /// Absolute path of the reader program.
    package var readerPath: String
    /// Where the text model is; nil: text fields come back unreadable.
    package var modelDirectory: String?
    package var openVINODirectory: String?
    /// What a reader process may allocate, in bytes. One that wants more ends, and its image fails.
    package var memoryLimitBytes: Int
    /// A reader process that holds more than this after an image, in bytes, is replaced.
    package var residentLimitBytes: Int
    /// For one page, PDF rendering included, the start of a process not.
    package var deadline: Duration
    /// A reader process is replaced after so many pages.
    package var pagesPerChild: Int
    /// Larger images are refused, in bytes: PNGs, JPEGs, and pages of a TIFF. A PDF may be of any size.
    package var maxImageBytes: Int
    /// Larger images are refused, in pixels.
    package var maxPixels: Int
    /// Dots an inch of a rendered PDF page; less when the page is so large that ``maxRenderedPixels`` would be passed.
    package var pdfResolution: Int
    package var maxRenderedPixels: Int

    package init(
        readerPath: String, modelDirectory: String?, openVINODirectory: String?, memoryLimitBytes: Int = 768 << 20,
        residentLimitBytes: Int = 250 << 20, deadline: Duration = .seconds(30), pagesPerChild: Int = 500,
        maxImageBytes: Int = 128 << 20, maxPixels: Int = 120_000_000, pdfResolution: Int = 200,
        maxRenderedPixels: Int = 40_000_000
    ) {
        self.readerPath = readerPath
        self.modelDirectory = modelDirectory
        self.openVINODirectory = openVINODirectory
        self.memoryLimitBytes = memoryLimitBytes
        self.residentLimitBytes = residentLimitBytes
        self.deadline = deadline
        self.pagesPerChild = pagesPerChild
        self.maxImageBytes = maxImageBytes
        self.maxPixels = maxPixels
        self.pdfResolution = pdfResolution
        self.maxRenderedPixels = maxRenderedPixels
    }

    /// The defaults, with reader, model and runtime where ``ReaderInstallation`` finds them.
    package init(installation: ReaderInstallation = .locate()) {
        self.init(
            readerPath: installation.readerPath, modelDirectory: installation.modelDirectory,
            openVINODirectory: installation.openVINODirectory)
    }
}
