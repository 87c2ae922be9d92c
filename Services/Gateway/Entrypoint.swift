@main
enum Entrypoint {
    static func main() async throws {
    }
}
