"""The one place that chooses adapters and joins them to the use cases."""

import gc
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import Engine as SqlEngine
from sqlalchemy.orm import configure_mappers

from ai_models import configured
from ai_models.analyser import Analyser
from ai_models.runner import Runner
from ai_models.shared_metrics import published
from telemed.adapters.db.engine import make_engine
from telemed.adapters.db.mapping import map_classes
from telemed.adapters.db.uow import SqlUnitOfWorkFactory
from telemed.adapters.db.upgrade import upgrade
from telemed.adapters.dimse_scu import DimsePeers, OutgoingTls
from telemed.adapters.identity.here import Argon2Passwords, PinyinReadings, RandomIdentifiers, SystemClock
from telemed.adapters.objects.copies import FolderCopies
from telemed.adapters.objects.directory import DirectoryStore
from telemed.adapters.objects.spool import DiskSpool
from telemed.adapters.pdf import TypstPdf
from telemed.adapters.queue.silent import SilentWaker
from telemed.application.ports import Clock, ObjectStore, UnitOfWorkFactory, Waker
from telemed.application.world import World
from telemed.dimse.tls import Identity, TlsProfile
from telemed.settings import SHORTEST_SECRET, Settings, SettingsError

if TYPE_CHECKING:
    from ai_models.engine import Engine


@dataclass(frozen=True, kw_only=True)
class Application:
    settings: Settings
    world: World
    sql: SqlEngine
    runner: Runner

    def close(self) -> None:
        self.sql.dispose()


def preload() -> None:
    """What processes of one parent share if it is there before they are forked: classes, statements, dictionaries."""
    import alembic.command  # noqa: F401 - loaded here for the children's sake alone

    map_classes()
    configure_mappers()
    # The dictionaries of readings alone are 50 MB.
    PinyinReadings().pinyin("示例")


def build(
    settings: Settings, *, waker: Waker | None = None, sessions_here: bool = True, jobs_here: bool = True
) -> Application:
    """Joins everything. `sessions_here=False` for a process that must not hold a model (a Celery child),
    `jobs_here=False` for one that shows what workers do: whether the models answer it learns from them.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    sql = make_engine(settings.database_url)
    upgrade(sql)
    unit_of_work, clock = SqlUnitOfWorkFactory(sql), SystemClock()
    runner = make_runner(settings, sessions_here=sessions_here)
    world = World(
        unit_of_work=unit_of_work,
        clock=clock,
        identifiers=RandomIdentifiers(),
        spool=DiskSpool(settings.data_dir / "spool", low_water=settings.spool_reserve_mib << 20),
        objects=make_objects(settings),
        analyser=Analyser(
            runner,
            configured.make_registry(settings.signers()),
            elsewhere=lambda: published(engine_metrics(settings)),
            asks_elsewhere=not jobs_here and _workers_hold_models(settings),
        ),
        renderer=TypstPdf(),
        passwords=Argon2Passwords(),
        names=PinyinReadings(),
        waker=waker or make_waker(settings, unit_of_work, clock),
        secret_key=secret_key(settings).encode(),
        public_url=settings.public_url,
        copies=FolderCopies(settings.data_dir / "copies", most=settings.copies_mib << 20),
        peers=DimsePeers(settings.ae_title, tls=make_outgoing_tls(settings)),
    )
    return Application(settings=settings, world=world, sql=sql, runner=runner)


def collect_seldom() -> None:
    """For a process that serves, once it is ready: what is loaded stays, and is not looked through for cycles again.

    Every whole collection holds up every line and page meanwhile, for a fifth of a second on a small machine.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def engine_metrics(settings: Settings) -> Path:
    """Where each worker process of an embedded house leaves what its engine counts, for the web process to show."""
    return settings.data_dir / "run" / "engines"


def make_outgoing_tls(settings: Settings) -> OutgoingTls:
    """The certificate of the TLS port is the one that we show where we call ourselves."""
    certificate, key = settings.dicom_tls_certificate, settings.dicom_tls_key
    return OutgoingTls(
        profile=tls_profile(settings),
        identity=Identity(certificate=Path(certificate), key=Path(key)) if certificate and key else None,
        authority=Path(settings.dicom_tls_authority) if settings.dicom_tls_authority else None,
    )


def tls_profile(settings: Settings) -> TlsProfile:
    try:
        return TlsProfile(settings.dicom_tls_profile)
    except ValueError as fault:
        raise SettingsError(
            "settings.unknown_choice",
            name="TELEMED_DICOM_TLS_PROFILE",
            value=settings.dicom_tls_profile,
            known=", ".join(TlsProfile),
        ) from fault


def make_objects(settings: Settings) -> ObjectStore:
    parts = urlsplit(settings.objects_url)
    if parts.scheme == "file":
        return DirectoryStore(Path(parts.path))
    if parts.scheme == "s3":
        from telemed.adapters.objects.s3 import S3Store  # the client is not needed on one machine

        return S3Store.from_url(settings.objects_url)
    raise SettingsError("settings.unknown_scheme", name="TELEMED_OBJECTS_URL", scheme=parts.scheme)


def make_runner(settings: Settings, *, sessions_here: bool) -> Runner:
    # The runtime (0.3 s, 60 MB) and the broker's client (1 s) are loaded by the processes that use them.
    if sessions_here and _workers_hold_models(settings):
        return make_models(settings)
    from ai_models.client import RemoteRunner

    # With a broker "inline" is the loopback inference process: a session never lives in a Celery child.
    here = urlsplit(settings.inference_url).scheme == "inline"
    url = f"http://127.0.0.1:{settings.inference_port}" if here else settings.inference_url
    return RemoteRunner(url, configured.make_registry(settings.signers()))


def _workers_hold_models(settings: Settings) -> bool:
    return settings.embedded_jobs and urlsplit(settings.inference_url).scheme == "inline"


def make_models(settings: Settings) -> "Engine":
    """The engine of this process."""
    return configured.make_models(
        keys=settings.signers(), provider=settings.inference_provider, precision=settings.inference_precision
    )


def make_waker(settings: Settings, unit_of_work: UnitOfWorkFactory, clock: Clock) -> Waker:
    if settings.embedded_jobs:
        return SilentWaker()
    from telemed.adapters.queue.celery import CeleryWaker, JobPublisher, make_celery  # as above

    return CeleryWaker(JobPublisher(make_celery(settings.broker_url), unit_of_work, clock))


def secret_key(settings: Settings) -> str:
    """The configured key; else one made once for this data directory. A weak one is refused."""
    if settings.secret_key:
        if len(settings.secret_key) < SHORTEST_SECRET:
            raise SettingsError("settings.secret_too_short", name="TELEMED_SECRET_KEY", limit=SHORTEST_SECRET)
        return settings.secret_key
    path = settings.data_dir / "secret.key"
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return _written(path)
    path.write_text(secrets.token_hex(32), "utf-8")
    return path.read_text("utf-8")


def _written(path: Path) -> str:
    """Another process of the group may be writing it at this moment."""
    for _ in range(50):
        if content := path.read_text("utf-8"):
            return content
        time.sleep(0.1)
    raise SettingsError("settings.file_unreadable", name="TELEMED_SECRET_KEY", file=str(path))
