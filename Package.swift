// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// Pixel loops are unusable without the optimiser, so these targets have it in debug builds too.
let pixelSettings = settings + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

/// The modules every service stands on.
let serviceFoundation: [Target.Dependency] = [
    "Audit", "Domain", "Redis", "EventBus", "TaskQueue", "ExamStore", "BlobStore", "ServiceKit", logging, lifecycle,
]

func service(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .executableTarget(
        name: name, dependencies: serviceFoundation + dependencies, path: "Services/\(name)", exclude: exclude,
        resources: resources,
        swiftSettings: settings)
}

func shared(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [],
    settings: [SwiftSetting] = settings
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Shared/\(name)", resources: resources, swiftSettings: settings)
}

func test(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)", resources: resources, swiftSettings: settings)
}

let package = Package(
    name: "ZhiYue",
    products: [
        .library(name: "ZhiYue", targets: ["EventSystem"]),
        .executable(name: "gateway", targets: ["Gateway"]),
        .executable(name: "event-router", targets: ["EventRouter"]),
        .executable(name: "ocr-worker", targets: ["OCRWorker"]),
        .executable(name: "ocr-reader", targets: ["OCRReader"]),
        .executable(name: "scan-unpacker", targets: ["ScanUnpacker"]),
        .executable(name: "sheet-printer", targets: ["SheetPrinter"]),
        .executable(name: "grading-worker", targets: ["GradingWorker"]),
        .executable(name: "batch-worker", targets: ["BatchWorker"]),
        .executable(name: "notifier", targets: ["Notifier"]),
        .executable(name: "analytics", targets: ["Analytics"]),
        .executable(name: "zhiyue", targets: ["ZhiYueCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // C and C++ bridges: one thin folder each.
        .systemLibrary(name: "CHiredis", path: "Shared/CHiredis"),
        .systemLibrary(
            name: "CCairo", path: "Shared/CCairo", pkgConfig: "pangocairo",
            providers: [.apt(["libcairo2-dev", "libpango1.0-dev"])]),
        .systemLibrary(name: "CQREncode", path: "Shared/CQREncode"),
        .systemLibrary(name: "CTurboJPEG", path: "Shared/CTurboJPEG"),
        .systemLibrary(name: "CZip", path: "Shared/CZip"),
        .systemLibrary(name: "CZlib", path: "Shared/CZlib"),
        .systemLibrary(name: "CZstd", path: "Shared/CZstd"),
        .target(
            name: "CVision", path: "Shared/CVision",
            cxxSettings: [.unsafeFlags(["-isystem", "/usr/include/opencv4", "-isystem", "/usr/include/ZXing"])],
            linkerSettings: [
                .linkedLibrary("opencv_core"), .linkedLibrary("opencv_imgproc"), .linkedLibrary("opencv_imgcodecs"),
                .linkedLibrary("ZXing"), .linkedLibrary("turbojpeg"),
            ]),
        .target(name: "COpenVINO", path: "Shared/COpenVINO", linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CProcess", path: "Shared/CProcess"),
        .target(name: "CSandbox", path: "Shared/CSandbox", linkerSettings: [.linkedLibrary("seccomp")]),

        // Shared modules, lowest first.
        shared("Domain"),
        shared("Grading", ["Domain"]),
        shared("ExamFigures", ["Domain"]),
        shared("Redis", ["CHiredis", nioCore, nioPosix, nioSSL, deque, logging, lifecycle]),
        shared("Coordination", ["Redis", logging, lifecycle], resources: [.embedInCode("Scripts")]),
        shared(
            "EventBus", ["CZstd", "Coordination", "Domain", "Redis", deque, logging, lifecycle],
            resources: [.embedInCode("Scripts")]),
        shared("TaskQueue", ["Domain", "Redis", logging, lifecycle], resources: [.embedInCode("Scripts")]),
        shared("EventSystem", ["Domain", "EventBus", "Redis", "TaskQueue", logging, lifecycle]),
        shared("Audit", ["Domain", "Redis", "EventBus"]),
        shared("ExamStore", ["Audit", "Domain", "Redis", "EventBus"], resources: [.embedInCode("Scripts")]),
        shared("Accounts", ["Audit", "Domain", "EventBus", "Redis"], resources: [.embedInCode("Scripts")]),
        shared("Access", ["Domain", crypto, cryptoExtras, jwt]),
        shared("BlobStore", ["Domain", crypto, nioPosix]),
        shared("WebSocket", ["CZlib", crypto, nioCore, nioHTTP1, nioPosix]),
        shared("Recognition", ["Domain", "CVision", "COpenVINO"], settings: pixelSettings),
        shared("ScanReader", ["Domain", "CSandbox", logging]),
        shared("AnswerSheet", ["Domain", "ExamFigures"]),
        shared("SheetPrinting", ["Domain", "ExamFigures", "CCairo", "CQREncode"]),
        shared(
            "SheetSimulation", ["Domain", "AnswerSheet", "SheetPrinting", "CCairo", "CTurboJPEG"],
            settings: pixelSettings),
        shared(
            "ServiceKit",
            [
                "CProcess", "Domain", "Redis", "EventBus", "TaskQueue", "ExamStore", "BlobStore", configuration,
                hummingbird, lifecycle, logging, nioCore, nioPosix, systemPackage, unixSignals,
            ], resources: [.embedInCode("Scripts")]),

        shared(
            "Webhooks",
            [
                "Audit", "Domain", "EventBus", "Redis", "ServiceKit", asyncHTTPClient, crypto, nioCore, nioHTTP1,
                nioPosix, nioSSL,
            ], resources: [.embedInCode("Scripts")]),

        // The seven services, the confined reader and the command line.
        service(
            "Gateway",
            [
                "Access", "Accounts", "AnswerSheet", "CZlib", "Grading", "ScanReader", "WebSocket", "Webhooks",
                asyncHTTPClient, crypto,
                deque, httpTypes, hummingbird, hummingbirdCore, nioCore, nioHTTP1, nioHTTPTypes, nioHTTPTypesHTTP1,
                nioPosix,
            ], exclude: ["Web"], resources: [.embedInCode("OpenAPI/Page"), .embedInCode("Repeats/Scripts")]),
        service("EventRouter", ["Coordination"]),
        service("OCRWorker", ["ScanReader"]),
        .executableTarget(
            name: "OCRReader", dependencies: ["Domain", "Recognition", "ScanReader", "CSandbox"],
            path: "Services/OCRReader", swiftSettings: settings),
        .executableTarget(
            name: "ScanUnpacker", dependencies: ["Domain", "CZip", "ScanReader"], path: "Services/ScanUnpacker",
            swiftSettings: settings),
        .executableTarget(
            name: "SheetPrinter", dependencies: ["Domain", "AnswerSheet", "SheetPrinting", "ScanReader"],
            path: "Services/SheetPrinter", swiftSettings: settings),
        service("GradingWorker", ["Grading"]),
        service("BatchWorker", ["AnswerSheet", "ExamFigures", "ScanReader", nioPosix]),
        service("Notifier", ["Accounts", "Webhooks"]),
        service("Analytics"),
        service(
            "ZhiYueCLI",
            [
                "Access", "Accounts", "AnswerSheet", "CProcess", "Grading", "ScanReader", "SheetPrinting",
                "SheetSimulation", "WebSocket", argumentParser, asyncHTTPClient, hummingbird, lifecycle, nioCore,
                nioHTTP1, nioPosix, unixSignals,
            ], resources: [.embedInCode("Bench/WebSocket/Scripts")]),
        test("AccessTests", ["Access", "Domain", crypto, cryptoExtras]),
        test(
            "GatewayTests",
            [
                "Gateway", "ScanUnpacker", "SheetPrinter", "Access", "Accounts", "Audit", "Domain", "Redis", "EventBus",
                "TaskQueue",
                "ExamStore", "BlobStore", "ServiceKit", "WebSocket", "Webhooks",
                "AnswerSheet", "TestSupport", asyncHTTPClient, configuration, crypto, httpTypes, hummingbird, lifecycle,
                logging,
                nioCore, nioHTTP1, nioPosix,
            ]),
        test("AnswerSheetTests", ["AnswerSheet", "SheetPrinting", "Domain"]),
        // Its drawing and scanning loops are pixel loops too.
        .testTarget(
            name: "RecognitionTests",
            dependencies: [
                "Recognition", "Domain", "AnswerSheet", "SheetPrinting", "SheetSimulation", "CVision", "CCairo",
                "CQREncode",
                "CTurboJPEG",
            ], path: "Tests/RecognitionTests", swiftSettings: pixelSettings),

        // Tests.
        .target(name: "CHostileCalls", path: "Tests/CHostileCalls"),
        .executableTarget(
            name: "HostileReader", dependencies: ["CHostileCalls", "Domain", "Recognition", "ScanReader"],
            path: "Tests/HostileReader",
            swiftSettings: settings),
        test(
            "ScanReaderTests",
            [
                "ScanReader", "AnswerSheet", "SheetPrinting", "CSandbox", "CZip", "Domain", "HostileReader",
                "OCRReader", "ScanUnpacker", "SheetPrinter", "TestSupport", logging,
            ]),

        .target(
            name: "TestSupport", dependencies: [nioCore, nioPosix], path: "Tests/TestSupport", swiftSettings: settings),
        test("TaskQueueTests", ["TaskQueue", "Domain", "Redis", "TestSupport", lifecycle, logging]),
        test("EventBusTests", ["EventBus", "Coordination", "Domain", "Redis", "TestSupport", lifecycle, logging]),
        test("CoordinationTests", ["Coordination", "Redis", "TestSupport", lifecycle, logging]),
        test("EventSystemTests", ["EventSystem", "TestSupport"]),
        .target(name: "CShiftedClock", path: "Tests/CShiftedClock"),
        .executableTarget(
            name: "ChaosReplica",
            dependencies: [
                "CShiftedClock", "ChaosWorkload", "Domain", "EventBus", "Redis", "TaskQueue", lifecycle, logging,
                unixSignals,
            ], path: "Tests/ChaosReplica", swiftSettings: settings),
        .executableTarget(name: "SocketCrowd", path: "Tests/SocketCrowd", swiftSettings: settings),
        .target(
            name: "ChaosWorkload", dependencies: ["Domain", "EventBus", "Redis", "TaskQueue", lifecycle, logging],
            path: "Tests/ChaosWorkload", swiftSettings: settings),
        test(
            "ChaosTests",
            [
                "Access", "ChaosWorkload", "Domain", "EventBus", "Redis", "ServiceKit", "TaskQueue", "TestSupport",
                "WebSocket",
                asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix,
            ]),
        test("RedisTests", ["Redis", "TestSupport", lifecycle, logging, nioCore, nioPosix]),
        .executableTarget(
            name: "RedisBenchmark", dependencies: ["Redis", "TestSupport", logging],
            path: "Tests/Benchmarks/RedisBenchmark", swiftSettings: settings),
        .executableTarget(
            name: "ReplayBenchmark", dependencies: ["EventBus", "Domain", "Redis", "TestSupport", lifecycle, logging],
            path: "Tests/Benchmarks/ReplayBenchmark", swiftSettings: settings),
        test("SheetSimulationTests", ["SheetSimulation", "AnswerSheet", "SheetPrinting", "Domain"]),
        test(
            "EndToEndTests",
            [
                "Domain", "EventBus", "ExamStore", "Grading", "Redis", "SheetSimulation", "TestSupport", "WebSocket",
                asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix,
            ]),
        test("DomainTests", ["Domain"], resources: [.copy("Samples")]),
        test("GradingTests", ["Grading", "Domain"]),
        test("AccountsTests", ["Accounts", "Audit", "Domain", "EventBus", "Redis", "TestSupport", logging]),
        test("AuditTests", ["Audit", "Domain", "EventBus", "Redis", "TestSupport", logging]),
        test("ExamStoreTests", ["Audit", "ExamStore", "Domain", "EventBus", "Redis", "TestSupport", logging]),
        test("BlobStoreTests", ["BlobStore", "Domain", crypto]),
        test("WebSocketTests", ["WebSocket", "CZlib", nioCore, nioHTTP1, nioPosix]),
        .executableTarget(
            name: "WebSocketEcho", dependencies: ["WebSocket", nioCore, nioHTTP1, nioPosix],
            path: "Tests/WebSocketEcho", swiftSettings: settings),
        test(
            "ServiceKitTests",
            ["ServiceKit", "Domain", "EventBus", "Redis", "TaskQueue", "TestSupport", configuration, logging]),
        test("BatchWorkerTests", ["BatchWorker", "Domain", "ExamFigures", "SheetPrinter", "TaskQueue"]),
        test("ExamFiguresTests", ["ExamFigures", "Domain"]),
        test(
            "WebhookTests",
            [
                "Notifier", "Webhooks", "Accounts", "Audit", "Domain", "EventBus", "ExamStore", "Redis", "ServiceKit",
                "TaskQueue", "TestSupport", configuration, crypto, logging, nioCore, nioHTTP1, nioPosix, nioSSL,
            ]),
        test(
            "ZhiYueCLITests",
            [
                "ZhiYueCLI", "Access", "Accounts", "Audit", "Domain", "EventBus", "Redis", "TaskQueue", "TestSupport",
                logging,
            ]),
    ]
)
