/// What one upload may hold, and how slow it may be.
struct UploadLimits: Equatable, Sendable {
    /// The whole body, in bytes (`HTTP_MAX_UPLOAD_BYTES`).
    var totalBytes = 2 << 30
    /// One file, archives included, in bytes (`HTTP_MAX_FILE_BYTES`).
    var fileBytes = 1 << 30
    /// `HTTP_MAX_FILES`
    var files = 1000
    /// Bytes a second since the beginning, once `slowStart` has passed (`HTTP_MIN_UPLOAD_RATE`); 0 for any rate. A
    /// client that sends nothing at all is cut off after `HTTP_IDLE_TIMEOUT`.
    var minRate = 1024
    var slowStart: Duration = .seconds(30)
}
