"""`python -m dicom_node`: the DICOM door as a process of its own."""

import logging
import sys
from pathlib import Path

from dicom_node.limits import Limits
from dicom_node.server import DicomNode, Door
from dicom_node.tls import TlsFiles
from telemed.application.refused_certificates import RefusedHandshakes, site_authorities
from telemed.application.world import World
from telemed.bootstrap import build, collect_seldom, preload, tls_profile
from telemed.group import forks
from telemed.group.stop import Stop, stop_on_signals
from telemed.i18n import text
from telemed.settings import Settings, SettingsError


def doors(world: World, settings: Settings) -> list[Door]:
    shared = settings.dicom_processes > 1
    found = [Door(host=settings.dicom_host, port=settings.dicom_port, shared=shared)]
    if settings.dicom_tls_certificate and settings.dicom_tls_key:
        authority = settings.dicom_tls_authority
        files = TlsFiles(
            certificate=Path(settings.dicom_tls_certificate),
            key=Path(settings.dicom_tls_key),
            authority=Path(authority) if authority else None,
            profile=tls_profile(settings),
            site_authorities=lambda: site_authorities(world),
            refused=RefusedHandshakes(world),
        )
        found.append(Door(host=settings.dicom_host, port=settings.dicom_tls_port, tls=files, shared=shared))
    return found


def serve(world: World, settings: Settings, stopped: Stop) -> None:
    """Blocks until `stopped` is set; objects in flight are finished first."""
    node = DicomNode(
        world=world,
        ae_title=settings.ae_title,
        doors=doors(world, settings),
        limits=Limits.of(settings),
    )
    node.start()
    collect_seldom()
    stopped.wait()
    node.stop()


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        return _unusable(error)
    if settings.dicom_processes > 1:
        preload()
        # The system spreads the connections over all that listen.
        return forks.run(settings.dicom_processes, lambda _: _one(settings))
    return _one(settings)


def _one(settings: Settings) -> int:
    stopped = stop_on_signals()
    try:
        application = build(settings, sessions_here=False)
    except SettingsError as error:
        return _unusable(error)
    try:
        serve(application.world, settings, stopped)
    except OSError as error:
        # A port in use, a certificate that is not there: the system's own reason says which.
        reason = f"{error.strerror or error} {error.filename or ''}".strip()
        sys.stderr.write(
            text(
                "dicom.cannot_listen",
                settings.language,
                host=settings.dicom_host,
                port=settings.dicom_port,
                tls_port=settings.dicom_tls_port,
                reason=reason,
            )
            + "\n"
        )
        return 2
    finally:
        application.close()
    return 0


def _unusable(error: SettingsError) -> int:
    sys.stderr.write(text(error.code, "zh-CN", **error.params) + "\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
