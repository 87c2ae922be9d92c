internal import Domain
internal import FoundationEssentials
internal import Glibc

/// Where the reader program, the text model and the OpenVINO runtime are.
///
/// Each is looked for in three places, the first that exists wins:
/// 1. what the environment says: `ZHIYUE_READER`, `ZHIYUE_MODELS`, `ZHIYUE_OPENVINO`;
/// 2. next to the running executable: `ocr-reader`, `models`, `openvino`;
/// 3. in the checkout the executable was built in: `.deps/models`, `.deps/openvino` of the nearest folder upwards that
///    has a `Package.swift`.
///
/// The runtime may be a folder with the libraries or one of the wheel's layout (`openvino/libs` below it).
///
/// A reader program that is nowhere is still named (next to the executable), so that the error message can say where it
/// was expected; a missing model or runtime is nil, and fields that need it come back as unreadable.
package struct ReaderInstallation: Equatable, Sendable {
    package var readerPath: String
    package var modelDirectory: String?
    package var openVINODirectory: String?

    package init(readerPath: String, modelDirectory: String?, openVINODirectory: String?) {
        self.readerPath = readerPath
        self.modelDirectory = modelDirectory
        self.openVINODirectory = openVINODirectory
    }

    /// - Parameters:
    ///   - environment: of this process, if not given.
    ///   - executable: absolute path of the running executable, if not given.
    package static func locate(environment: [String: String]? = nil, executable: String? = nil) -> ReaderInstallation {
        let environment = environment ?? ProcessInfo.processInfo.environment
        let folder = SiblingProgram.parent(of: executable ?? SiblingProgram.runningExecutable())
        let checkout = checkout(above: folder)

        func find(_ variable: String, beside name: String, inCheckout path: String?) -> String? {
            if let given = environment[variable], !given.isEmpty { return given }
            let candidates = ["\(folder)/\(name)", path.flatMap { path in checkout.map { "\($0)/\(path)" } }]
            return candidates.compactMap(\.self).first { access($0, F_OK) == 0 }
        }
        return ReaderInstallation(
            readerPath: find("ZHIYUE_READER", beside: "ocr-reader", inCheckout: nil) ?? "\(folder)/ocr-reader",
            modelDirectory: find("ZHIYUE_MODELS", beside: "models", inCheckout: ".deps/models"),
            openVINODirectory: find("ZHIYUE_OPENVINO", beside: "openvino", inCheckout: ".deps/openvino")
                .map(libraryFolder))
    }

    private static func libraryFolder(in folder: String) -> String {
        ["\(folder)/openvino/libs", "\(folder)/libs"].first { access($0, F_OK) == 0 } ?? folder
    }

    private static func checkout(above folder: String) -> String? {
        var folder = folder
        while folder.hasPrefix("/"), folder != "/" {
            if access("\(folder)/Package.swift", F_OK) == 0 { return folder }
            folder = SiblingProgram.parent(of: folder)
        }
        return nil
    }
}
