import Domain
import Testing

@testable import Webhooks

@Suite struct SignatureTests {
    /// Made with Python's hmac, hashlib and base64, as receivers do.
    @Test func `a signature is what others compute`() {
        let secret = WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        let signature = secret.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func `secrets differ, and do not show themselves`() {
        let (first, second) = (WebhookSecret.make(), WebhookSecret.make())
        #expect(first != second)
        #expect(!"\(first)".contains(first.text.dropFirst(6)))
        #expect(!String(reflecting: first).contains(first.text.dropFirst(6)))
        let webhook = Webhook(
            id: "wh_1", url: "https://a.example/", eventTypes: [], examIDs: [], description: nil, owner: "zhang",
            ownerRole: .teacher, secret: first, createdAt: .now)
        #expect(!"\(webhook)".contains(first.text.dropFirst(6)))
    }

    @Test func `the former secret signs as well until its time is over`() {
        var webhook = Webhook(
            id: "wh_1", url: "https://a.example/", eventTypes: [], examIDs: [], description: nil, owner: "zhang",
            ownerRole: .teacher, secret: .make(), createdAt: .now)
        let former = WebhookSecret.make()
        webhook.formerSecret = former
        webhook.formerSecretUntil = Timestamp(milliseconds: 1000)
        #expect(webhook.secrets(at: Timestamp(milliseconds: 999)) == [webhook.secret, former])
        #expect(webhook.secrets(at: Timestamp(milliseconds: 1000)) == [webhook.secret])
    }
}
