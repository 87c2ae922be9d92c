internal import Domain
internal import FoundationEssentials

/// One reader process and its conversation.
struct ReaderChild {
    let process: ConfinedProcess
    /// Directories it may read for templates, fixed when it started.
    let readable: [String]
    private(set) var pagesRead = 0
    private var lastLayout: SheetLayout?
    private var lastID: UInt64 = 0

    /// What was to be read.
    enum Subject {
        /// The page, or what a picture is to be made of instead.
        case layout(SheetLayout, expectedExam: ExamID?, picture: PictureSubject? = nil)
        case template(String)
    }

    /// What came of it.
    enum Product {
        case reading(PageReading)
        case image([UInt8])
    }

    /// The process answered something no reader answers.
    struct ProtocolError: Error {}

    /// Address space a reader needs beyond its memory: libraries, and stacks that are reserved and not used.
    private static let reservedAddressSpace = 1 << 30

    /// Pages that take all the processor time they may, after which the process is ended. A usual page takes a hundredth
    /// of that; this bounds a process that goes on working when nobody asked it to.
    private static let slowPages = 20

    init(
        _ configuration: ScanReaderConfiguration, readable: [String], started: (ConfinedProcess) -> Void,
        until deadline: ContinuousClock.Instant
    ) throws {
        let seconds = Self.processorSeconds(configuration)
        let limits = ConfinedCommand.Limits(
            addressSpace: configuration.memoryLimitBytes + Self.reservedAddressSpace,
            data: configuration.memoryLimitBytes, processorSeconds: seconds,
            allProcessorSeconds: seconds * Self.slowPages)
        process = try ConfinedProcess(
            ConfinedCommand(
                path: configuration.readerPath, environment: Self.environment(configuration), limits: limits))
        self.readable = readable
        started(process)
        try send(
            ReaderSetup(
                modelDirectory: configuration.modelDirectory, openVINODirectory: configuration.openVINODirectory,
                maxPixels: configuration.maxPixels, maxImageBytes: configuration.maxImageBytes, readable: readable),
            until: deadline)
        _ = try receive(ReaderReady.self, until: deadline)
    }

    mutating func read(
        _ bytes: [UInt8], imageIndex: Int, _ subject: Subject, until deadline: ContinuousClock.Instant
    ) throws -> Result<Product, ReadingFailure> {
        lastID += 1
        var request = ReaderRequest(id: lastID, imageBytes: bytes.count, imageIndex: imageIndex)
        var layoutNow = lastLayout
        switch subject {
        case .layout(let layout, let expectedExam, let picture):
            request.layout = layout == lastLayout ? nil : layout
            request.expectedExam = expectedExam
            request.subject = picture
            layoutNow = layout
        case .template(let path):
            request.template = path
        }
        try send(request, until: deadline)
        try process.send(bytes, until: deadline)
        lastLayout = layoutNow
        let reply = try receive(ReaderReply.self, until: deadline)
        pagesRead += 1
        switch (reply.id == lastID, reply.reading, reply.image, reply.failure) {
        case (true, let reading?, nil, nil): return .success(.reading(reading))
        case (true, nil, let image?, nil): return .success(.image([UInt8](image)))
        case (true, nil, nil, let failure?): return .failure(failure)
        default: throw ProtocolError()
        }
    }

    static func processorSeconds(_ configuration: ScanReaderConfiguration) -> Int {
        // Twice, because a library may use a second core for a moment.
        max(2, Int((configuration.deadline / .seconds(1)).rounded(.up)) * 2)
    }

    private static func environment(_ configuration: ScanReaderConfiguration) -> [String] {
        [
            "LANG=C.UTF-8",
            // One arena: the memory limit counts reserved arenas, and one thread works at a time.
            "MALLOC_ARENA_MAX=1", "OMP_NUM_THREADS=1", "OPENCV_FOR_THREADS_NUM=1",
            "OPENCV_IO_MAX_IMAGE_PIXELS=\(configuration.maxPixels)",
            // Backtraces need a process of their own, which a confined one cannot have.
            "SWIFT_BACKTRACE=enable=no",
        ]
    }

    private func send(_ message: some Encodable, until deadline: ContinuousClock.Instant) throws {
        try process.send(Frame.encode(message), until: deadline)
    }

    private func receive<Message: Decodable>(
        _ type: Message.Type, until deadline: ContinuousClock.Instant
    ) throws -> Message {
        let length = try Frame.length(process.receive(count: 4, until: deadline))
        return try JSON.decode(type, from: process.receive(count: length, until: deadline))
    }
}
