import NIOPosix
import ServiceKit

@main
enum Entrypoint {
    static func main() async {
        // Redis has a thread of its own: the other event loops are as busy as their WebSockets are.
        await ServiceProcess.run(
            "gateway", ownsHealthRoutes: true, redisEventLoops: MultiThreadedEventLoopGroup(numberOfThreads: 1),
            build: Gateway.services)
    }
}
