/// Names of the metadata this module logs.
enum LogKey {
    static let server = "redis.server"
    static let error = "error"
}
