"""Stand-ins for what Milepost talks to. Each is held to the same contract tests as the real thing."""
