import ServiceKit

@main
enum Entrypoint {
    static func main() async {
        await ServiceProcess.run("gateway", ownsHealthRoutes: true, build: Gateway.services)
    }
}
