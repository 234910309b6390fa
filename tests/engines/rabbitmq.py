"""A RabbitMQ of its own: its own Erlang name service, cookie, ports and folders, so that it meets no other."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import amqp
import pytest

from tests.engines.processes import answers, free_port, stop, wait_until
from tests.programs import require


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[str]:
    # Debian's wrapper on PATH wants to become another user; the program behind it runs as anybody.
    require("rabbitmq-server", package="rabbitmq-server", folders="/usr/sbin")
    program = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    epmd = require("epmd", package="erlang-base", folders="/usr/lib/erlang/erts-*/bin")
    folder = Path(tempfile.mkdtemp(prefix="telemed-mq-"))
    port, names_port, log = free_port(), free_port(), folder / "log"
    (folder / "enabled_plugins").write_text("[].\n")
    (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n")
    environment = {
        **os.environ,
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(names_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"telemed{port}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "absent"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        # Talks to nobody but its clients; fewer schedulers start faster beside the tests.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}",
        # Replaces the shell by the server: it is stopped by its own id.
        "RABBITMQ_ALLOW_INPUT": "1",
    }
    with log.open("wb") as output:
        names = subprocess.Popen(
            [epmd, "-port", str(names_port), "-address", "127.0.0.1"], stdout=output, stderr=output
        )
        try:
            wait_until(lambda: answers(names_port), names, log)
            server = subprocess.Popen(
                [program], env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=folder
            )
            try:
                wait_until(lambda: _speaks(port), server, log)
                yield f"amqp://guest:guest@127.0.0.1:{port}//"
            finally:
                stop(server)
                if server.stdin:
                    server.stdin.close()
        finally:
            stop(names)
            shutil.rmtree(folder, ignore_errors=True)


def _speaks(port: int) -> bool:
    """The port opens before the server takes clients."""
    if not answers(port):
        return False
    try:
        with amqp.Connection(f"127.0.0.1:{port}", "guest", "guest", connect_timeout=2):
            return True
    except (OSError, amqp.AMQPError):
        return False
