internal import CSandbox
package import Domain
internal import FoundationEssentials
internal import Glibc

/// What a reader process does with one image.
package protocol ImageReading {
    func read(
        _ bytes: [UInt8], imageIndex: Int, layout: SheetLayout, expectedExam: ExamID?
    ) throws(ReadingFailure) -> PageReading

    func read(_ bytes: [UInt8], templatePath: String) throws(ReadingFailure) -> PageReading

    /// - Returns: a JPEG.
    func picture(
        of subject: PictureSubject, _ bytes: [UInt8], imageIndex: Int, layout: SheetLayout, expectedExam: ExamID?
    ) throws(ReadingFailure) -> [UInt8]
}

extension ImageReading {
    package func picture(
        of subject: PictureSubject, _ bytes: [UInt8], imageIndex: Int, layout: SheetLayout, expectedExam: ExamID?
    ) throws(ReadingFailure) -> [UInt8] {
        throw ReadingFailure(.readerUnavailable, "This reader makes no pictures.")
    }
}

/// The child's side: confines the process, then answers one request after another until its input ends.
///
/// Whatever goes wrong outside an image ends the process; the parent starts a new one.
package enum ReaderLoop {
    private struct Broken: Error {
        var message: String
    }

    /// Returns the exit status. To be called on the first thread, before any other exists.
    package static func run(_ makeReader: (ReaderSetup) -> any ImageReading) -> Int32 {
        do {
            // What a library prints must not get between the messages.
            let output = try AnswerChannel()
            guard let setup = try receive(ReaderSetup.self) else { return 0 }
            let folders = [setup.modelDirectory, setup.openVINODirectory].compactMap(\.self)
            try SelfConfinement.apply(readable: folders + setup.readable)
            let reader = makeReader(setup)
            try send(ReaderReady(landlockVersion: Int(sandbox_landlock_version())), to: output)
            var layout: SheetLayout?
            while let request = try receive(ReaderRequest.self) {
                guard (0...setup.maxImageBytes).contains(request.imageBytes) else {
                    throw Broken(message: "an image of \(request.imageBytes) bytes")
                }
                guard let bytes = try receive(count: request.imageBytes) else { return 0 }
                layout = request.layout ?? layout
                try send(answer(request, bytes, layout, reader), to: output)
                // A large image must not stay in the process for all the small ones that follow.
                sandbox_release_memory()
            }
            return 0
        } catch let error as Broken {
            return fail(error.message)
        } catch {
            return fail("\(error)")
        }
    }

    private static func answer(
        _ request: ReaderRequest, _ bytes: [UInt8], _ layout: SheetLayout?, _ reader: any ImageReading
    ) throws -> ReaderReply {
        do throws(ReadingFailure) {
            if let subject = request.subject, let layout {
                let image = try reader.picture(
                    of: subject, bytes, imageIndex: request.imageIndex, layout: layout,
                    expectedExam: request.expectedExam)
                return ReaderReply(id: request.id, image: Data(image))
            }
            let reading: PageReading
            if let template = request.template {
                reading = try reader.read(bytes, templatePath: template)
            } else if let layout {
                reading = try reader.read(
                    bytes, imageIndex: request.imageIndex, layout: layout, expectedExam: request.expectedExam)
            } else {
                throw ReadingFailure(.readerCrashed, "The reader was given no layout.")
            }
            return ReaderReply(id: request.id, reading: reading)
        } catch {
            return ReaderReply(id: request.id, failure: error)
        }
    }

    // MARK: Messages

    /// Nil at the end of the input.
    private static func receive<Message: Decodable>(_ type: Message.Type) throws -> Message? {
        guard let prefix = try receive(count: 4) else { return nil }
        guard let json = try receive(count: Frame.length(prefix)) else { return nil }
        return try JSON.decode(type, from: json)
    }

    private static func receive(count: Int) throws -> [UInt8]? {
        var ended = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            done = 0
            while done < count {
                let received = read(0, buffer.baseAddress?.advanced(by: done), count - done)
                if received < 0, errno == EINTR { continue }
                if received <= 0 { break }
                done += received
            }
            ended = done < count
        }
        return ended ? nil : bytes
    }

    private static func send(_ message: some Encodable, to output: AnswerChannel) throws {
        try output.write(Frame.encode(message))
    }

    private static func fail(_ message: String) -> Int32 {
        let line = Array("reader: \(message)\n".utf8)
        _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
        return 1
    }
}
