"""Servers that tests start for themselves; each lives as long as the test session that asked for it."""

pytest_plugins = [
    "tests.cast",
    "tests.engines.postgres",
    "tests.engines.rabbitmq",
    "tests.engines.redis",
    "tests.engines.sqlite",
    "tests.engines.swift",
]
