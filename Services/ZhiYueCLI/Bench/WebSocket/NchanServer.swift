internal import AsyncHTTPClient
internal import FoundationEssentials
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import ServiceKit

/// nginx with the module nchan: a WebSocket broadcast server to set beside the gateway. One channel, published to by POST.
struct NchanServer {
    let process: ChildProcess
    let port: Int

    /// - Throws: `CommandFailure` when there is no nginx with nchan here.
    init(_ server: BenchServer) throws {
        port = try ListeningPort.check(host: "127.0.0.1", port: 0)
        let files = try Self.files()
        let folder = server.path
        let configuration = """
            load_module \(files.module);
            \(geteuid() == 0 ? "user root;" : "")
            daemon off; worker_processes 2; worker_rlimit_nofile \(OpenFiles.limit);
            pid \(folder)/nginx.pid; error_log stderr warn;
            events { worker_connections 20000; }
            http {
              access_log off;
              client_body_temp_path \(folder)/nginx-body; proxy_temp_path \(folder)/nginx-proxy;
              fastcgi_temp_path \(folder)/nginx-fastcgi; uwsgi_temp_path \(folder)/nginx-uwsgi;
              scgi_temp_path \(folder)/nginx-scgi;
              keepalive_requests 1000000;
              server {
                listen 127.0.0.1:\(port) backlog=4096;
                location = /pub { nchan_publisher http; nchan_channel_id c; nchan_message_buffer_length 50; }
                location = /sub { nchan_subscriber websocket; nchan_channel_id c; nchan_subscriber_first_message newest; }
              }
            }
            """
        let file = "\(folder)/nginx.conf"
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: file))
        process = try server.process(
            "nginx", executable: files.nginx, ["-c", file, "-p", folder], environment: [:], deathSignal: SIGTERM)
    }

    /// Where nginx and the module are.
    static func files() throws -> (nginx: String, module: String) {
        let places = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"]
        let modules = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/local/nginx/modules"]
            .map { "\($0)/ngx_nchan_module.so" }
        guard let nginx = places.first(where: FileManager.default.isExecutableFile(atPath:)),
            let module = modules.first(where: FileManager.default.fileExists(atPath:))
        else {
            throw CommandFailure(
                "there is no nginx with nchan here. `deploy/tools/deps.sh --bench` installs what is needed")
        }
        return (nginx, module)
    }

    var url: String { "ws://127.0.0.1:\(port)/sub" }

    func waitUntilReady() async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return try await publish("{}")
            } catch {
                guard ContinuousClock.now < deadline else { throw CommandFailure("nginx does not answer: \(error)") }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    func publish(_ message: String) async throws {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/pub")
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: message))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(5))
        guard (200..<300).contains(response.status.code) else {
            throw CommandFailure("nchan answers \(response.status.code)")
        }
        for try await _ in response.body {}
    }

    /// The master and its workers.
    var identifiers: [Int32] {
        guard let master = process.identifier else { return [] }
        let children = try? String(contentsOfFile: "/proc/\(master)/task/\(master)/children", encoding: .utf8)
        return [master] + (children ?? "").split(separator: " ").compactMap { Int32($0) }
    }
}
