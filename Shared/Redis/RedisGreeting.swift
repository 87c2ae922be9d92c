/// What a connection says first: who it is and which database it means.
enum RedisGreeting {
    private static func dialogue(
        _ configuration: RedisConfiguration
    ) -> [(command: RedisCommand, toleratedRefusals: [String]?)] {
        var dialogue: [(command: RedisCommand, toleratedRefusals: [String]?)] = []
        if let password = configuration.password {
            let login = configuration.user.map { RedisCommand("AUTH", $0, password) } ?? RedisCommand("AUTH", password)
            dialogue.append((login, []))
        }
        if configuration.database != 0 {
            dialogue.append((RedisCommand("SELECT", configuration.database), []))
        }
        if !configuration.clientName.isEmpty {
            dialogue.append((RedisCommand("CLIENT", "SETNAME", configuration.clientName), nil))
        }
        // Tells a server that still loads its data (LOADING) or wants a password (NOAUTH). A user who may not PING may
        // still do what it is there for.
        dialogue.append((RedisCommand("PING"), ["NOPERM"]))
        return dialogue
    }

    static func commands(_ configuration: RedisConfiguration) -> [RedisCommand] {
        dialogue(configuration).map(\.command)
    }

    static func steps(_ configuration: RedisConfiguration) -> [ConnectionStateMachine<RedisRequest>.GreetingStep] {
        dialogue(configuration).map { step in
            ConnectionStateMachine.GreetingStep(
                name: step.command.description, toleratedRefusals: step.toleratedRefusals)
        }
    }
}
