internal import ServiceKit

@main
enum Entrypoint {
    static func main() async {
        await ServiceProcess.run("notifier", build: Notifier.services)
    }
}
