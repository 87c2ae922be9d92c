internal import Glibc
internal import NIOPosix

extension BlobStore {
    /// Removes what processes killed in the middle of writing have left behind: files in `incoming` that nobody has
    /// written to for `age`. Several processes may do it at the same time.
    ///
    /// - Parameter age: longer than any upload stands still.
    /// - Returns: how many files were removed.
    package func removeStrays(olderThan age: Duration = .seconds(86_400)) async throws -> Int {
        try await NIOThreadPool.singleton.runIfActive {
            let folder = directory + "/incoming"
            guard let entries = opendir(folder) else { throw BlobStoreError.system("list", folder) }
            defer { closedir(entries) }
            let limit = time(nil) - Int(age.components.seconds)
            var removed = 0
            while let entry = readdir(entries) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                let path = "\(folder)/\(name)"
                var status = stat()
                guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
                if status.st_mtim.tv_sec < limit, unlink(path) == 0 { removed += 1 }
            }
            return removed
        }
    }
}
