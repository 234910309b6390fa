"""`python -m bench.worklist_server`: the web process of `telemed serve --only web`, without a model in it."""

from __future__ import annotations

from telemed.bootstrap import build
from telemed.settings import Settings
from telemed.web.app import create_app
from telemed.web.server import run

if __name__ == "__main__":
    settings = Settings.from_environment()
    run(create_app(build(settings, sessions_here=False)), settings.http_host, settings.http_port)
