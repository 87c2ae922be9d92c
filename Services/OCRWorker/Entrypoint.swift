internal import ServiceKit

@main
enum Entrypoint {
    static func main() async {
        await ServiceProcess.run("ocr-worker", build: OCRWorker.services)
    }
}
