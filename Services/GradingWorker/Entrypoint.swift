internal import ServiceKit

@main
enum Entrypoint {
    static func main() async {
        await ServiceProcess.run("grading-worker", build: GradingWorker.services)
    }
}
