import BlobStore
import Domain
import Glibc
import NIOPosix

extension BlobStore {
    /// The first bytes of a blob, by which its kind is told; empty when it cannot be read.
    func start(of id: BlobID) async throws -> [UInt8] {
        let path = path(of: id)
        return try await NIOThreadPool.singleton.runIfActive {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return [] }
            defer { close(descriptor) }
            return [UInt8](unsafeUninitializedCapacity: 1024) { buffer, count in
                count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
            }
        }
    }
}
