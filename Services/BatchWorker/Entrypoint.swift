internal import ServiceKit

@main
enum Entrypoint {
    static func main() async {
        await ServiceProcess.run("batch-worker", build: BatchWorker.services)
    }
}
