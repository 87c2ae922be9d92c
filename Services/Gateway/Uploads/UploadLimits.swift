/// What one upload may hold.
struct UploadLimits: Equatable, Sendable {
    /// The whole body, in bytes (`HTTP_MAX_UPLOAD_BYTES`).
    var totalBytes = 2 << 30
    /// One file, archives included, in bytes (`HTTP_MAX_FILE_BYTES`).
    var fileBytes = 1 << 30
    /// `HTTP_MAX_FILES`
    var files = 1000
}
