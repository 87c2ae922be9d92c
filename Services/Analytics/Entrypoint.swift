internal import ServiceKit

@main
enum Entrypoint {
    static func main() async {
        await ServiceProcess.run("analytics", build: Analytics.services)
    }
}
