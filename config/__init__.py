"""How Milepost is set up: settings, queues, policy, logging, error reports, metrics. Imports nothing of ours."""
