package import Configuration
internal import FoundationEssentials
internal import SystemPackage

/// A setting that cannot be used, with what to do about it.
package struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// As in the environment, `REDIS_URL`.
    package let name: String
    package let problem: String

    package init(name: String, problem: String) {
        self.name = name
        self.problem = problem
    }

    package var description: String { "\(name) \(problem)" }
}

/// Reads settings strictly: a value that is there but wrong is an error, never silently the default.
///
/// The environment goes first, then the file that `ZHIYUE_CONFIG` names (lines of `NAME=value`).
package struct SettingsReader: Sendable {
    private let config: ConfigReader

    package init(config: ConfigReader) {
        self.config = config
    }

    /// - Throws: `SettingsError` when the file of `ZHIYUE_CONFIG` cannot be read.
    package static func environment() async throws -> SettingsReader {
        let environment = EnvironmentVariablesProvider()
        let reader = SettingsReader(config: ConfigReader(provider: environment))
        guard let path = reader.text("ZHIYUE_CONFIG") else { return reader }
        do {
            let file = try await EnvironmentVariablesProvider(environmentFilePath: FilePath(path))
            return SettingsReader(config: ConfigReader(providers: [environment, file]))
        } catch {
            throw SettingsError(name: "ZHIYUE_CONFIG", problem: "names \(path), which cannot be read: \(error)")
        }
    }

    /// - Parameter name: as in the environment.
    /// - Returns: nil when unset or empty.
    package func text(_ name: String, isSecret: Bool = false) -> String? {
        let key = ConfigKey(name.lowercased().split(separator: "_").map(String.init))
        let value = config.string(forKey: key, isSecret: isSecret)
        return value?.isEmpty == false ? value : nil
    }

    package func integer(_ name: String, in range: ClosedRange<Int>, default standard: Int) throws -> Int {
        guard let text = text(name) else { return standard }
        guard let value = Int(text), range.contains(value) else {
            throw SettingsError(
                name: name,
                problem: "is \"\(text)\"; a whole number from \(range.lowerBound) to \(range.upperBound) is expected")
        }
        return value
    }

    /// A time in seconds, `10` or `0.5`.
    package func seconds(
        _ name: String, in range: ClosedRange<Double>, default standard: Duration
    ) throws -> Duration {
        guard let text = text(name) else { return standard }
        return try duration(text, name: name, in: range)
    }

    /// Times in seconds, `1,2,5`.
    package func secondsList(
        _ name: String, in range: ClosedRange<Double>, default standard: [Duration]
    ) throws -> [Duration] {
        guard let text = text(name) else { return standard }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            try duration(part.filter { !$0.isWhitespace }, name: name, in: range)
        }
    }

    package func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ name: String, default standard: Value
    ) throws -> Value {
        guard let text = text(name) else { return standard }
        guard let value = Value(rawValue: text.lowercased()) else {
            let accepted = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingsError(name: name, problem: "is \"\(text)\"; one of \(accepted) is expected")
        }
        return value
    }

    private func duration(_ text: String, name: String, in range: ClosedRange<Double>) throws -> Duration {
        guard let value = Double(text), range.contains(value) else {
            throw SettingsError(
                name: name,
                problem: "is \"\(text)\"; seconds from \(range.lowerBound) to \(range.upperBound) are expected")
        }
        return .milliseconds(Int64((value * 1000).rounded()))
    }
}
