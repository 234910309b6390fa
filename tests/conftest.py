"""Servers that tests start for themselves; each lives as long as the test session that asked for it."""

from hypothesis import HealthCheck, settings

# How fast a machine is when the tests run is no property of the code: what others do on it must fail none.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

pytest_plugins = [
    "tests.cast",
    "tests.engines.postgres",
    "tests.engines.rabbitmq",
    "tests.engines.redis",
    "tests.engines.sqlite",
    "tests.engines.swift",
]
