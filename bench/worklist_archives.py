"""The archives behind the list: made once, kept for the next run where a folder is named, and true on the day of it.

What is late and what is not is counted from the hour an archive was made; after `FRESH` it would measure another
list, so it is made anew. A kept one follows the product's migrations.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.databases import Postgres
from bench.worklist_data import READERS, Shape, fill
from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.uow import SqlUnitOfWorkFactory
from telemed.adapters.db.upgrade import upgrade
from telemed.domain.people import Session

FRESH = timedelta(hours=12)


def token(reader: int) -> str:
    return f"bench-{reader}"


def archive_folder(stack: ExitStack) -> Path:
    kept = os.environ.get("TELEMED_BENCH_ARCHIVES")
    if kept:
        return Path(kept).resolve()
    folder = Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix="telemed-bench-", ignore_cleanup_errors=True))
    )
    # PostgreSQL runs as another user there.
    folder.chmod(0o755)
    return folder


def archives_in(stack: ExitStack, folder: Path, engine: str, sizes: tuple[int, ...]) -> dict[int, str]:
    """The address of each size, made where it is not there whole; with a session for every reader."""
    urls = (_postgresql if engine == "postgresql" else _sqlite)(stack, folder, sizes)
    for url in urls.values():
        _open_sessions(url, READERS)
    return urls


def _postgresql(stack: ExitStack, folder: Path, sizes: tuple[int, ...]) -> dict[int, str]:
    server = Postgres(folder / "postgresql")
    stack.callback(server.stop)
    server.start(loading=True)
    for size in sizes:
        name, mark = f"cases_{size}", folder / "postgresql" / f"cases_{size}.made"
        if not _whole(mark):
            server.drop(name)
            server.create(name)
        _make(server.url(name), size, mark)
    # Loaded without syncing, served with it.
    server.stop()
    os.sync()
    server.start(loading=False)
    return {size: server.url(f"cases_{size}") for size in sizes}


def _sqlite(_stack: ExitStack, folder: Path, sizes: tuple[int, ...]) -> dict[int, str]:
    (folder / "sqlite").mkdir(parents=True, exist_ok=True)
    urls = {}
    for size in sizes:
        path = folder / "sqlite" / f"cases_{size}.db"
        mark = path.with_suffix(".made")
        if not _whole(mark):
            for old in path.parent.glob(f"{path.name}*"):
                old.unlink()
        urls[size] = f"sqlite:///{path}"
        _make(urls[size], size, mark)
    os.sync()
    return urls


def _whole(mark: Path) -> bool:
    """Written when the last row and index stood: without it the making was broken off."""
    return mark.exists() and time.time() - mark.stat().st_mtime < FRESH.total_seconds()


def _make(url: str, size: int, mark: Path) -> None:
    made = make_engine(url)
    upgrade(made)
    if not _whole(mark):
        fill(made, Shape(size))
        mark.touch()
    made.dispose()


def _open_sessions(url: str, readers: int) -> None:
    made = make_engine(url)
    now = datetime.now(UTC)
    with SqlUnitOfWorkFactory(made)() as uow:
        for reader in range(1, readers + 1):
            digest = hashlib.sha256(token(reader).encode()).hexdigest()
            known = uow.sessions.by_digest(digest)
            if known is not None:
                uow.sessions.remove(known)
                uow.flush()
            uow.sessions.add(
                Session(
                    token_digest=digest, kind="bearer", user_id=reader, csrf_token="", created_at=now,
                    expires_at=now + timedelta(hours=6), authenticated_at=now,
                )
            )  # fmt: skip
        uow.commit()
    made.dispose()
