/// Why a connection ends (RFC 6455, section 7.4). Those of an application, 4000 to 4999, are declared by it.
package struct WebSocketCloseCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    package static let normal = Self(rawValue: 1000)
    package static let goingAway = Self(rawValue: 1001)
    package static let protocolError = Self(rawValue: 1002)
    package static let unsupportedData = Self(rawValue: 1003)
    /// Never sent: stands for a close frame without a code.
    package static let noStatus = Self(rawValue: 1005)
    /// Never sent: stands for a connection that ended without a close frame.
    package static let abnormal = Self(rawValue: 1006)
    package static let invalidPayload = Self(rawValue: 1007)
    package static let messageTooBig = Self(rawValue: 1009)
    package static let internalError = Self(rawValue: 1011)
    /// The server stops and another one, or the same later, takes over: come back.
    package static let serviceRestart = Self(rawValue: 1012)

    /// Whether a peer may send it.
    var isValidOnTheWire: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
