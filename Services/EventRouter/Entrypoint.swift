internal import ServiceKit

@main
enum Entrypoint {
    static func main() async {
        await ServiceProcess.run("event-router", build: EventRouter.services)
    }
}
