import Domain
import Hummingbird
import Logging
import NIOCore

/// What belongs to one request besides itself.
struct GatewayContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection.
    let channel: any Channel
    /// Taken over from the client or its proxy, or made here.
    var requestID = ""
    /// What the client or its proxy said of the trace the request belongs to.
    var trace: TraceParent?
    /// Goes with every event and task the request causes.
    var correlationID = CorrelationID("")

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
        address = source.channel.remoteAddress?.ipAddress
    }

    /// Where the request comes from, without a port: the other end of the connection, or whom a proxy of ours names.
    var address: String?
}
