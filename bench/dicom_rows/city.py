"""`city_burst_tls`: a city's busiest minute, 134 mixed objects a second over TLS, into one node."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.dicom_rows import servers
from bench.dicom_rows.servers import CALLING, Server
from bench.result import Row, quantile
from bench.rounds import skipped

RATE, SECONDS, ASSOCIATIONS = 134, 60, 16
LIMIT_MS, LIMIT_MB = 500.0, 300.0
GOAL = f"no refusal, p99 < {LIMIT_MS:.0f} ms, PSS <= {LIMIT_MB:.0f} MB"


@dataclass(frozen=True)
class Minute:
    """What came of one server's minute."""

    refused: int
    sent: int
    seconds: float
    # Of the responses, in milliseconds.
    p50: float
    p99: float
    longest: float
    # How late the last object left, in seconds, and the sender's share of a core.
    late: float
    share: float
    memory_mb: float

    @property
    def client_bound(self) -> bool:
        # One Python process cannot use more than a core: what it asks late, it measures wrong.
        return self.share > 0.8

    @property
    def met(self) -> bool:
        unhindered = not self.client_bound and self.late < 1
        return not self.refused and self.p99 < LIMIT_MS and self.memory_mb <= LIMIT_MB and unhindered

    def __str__(self) -> str:
        return (
            f"{self.sent} objects in {self.seconds:.1f} s ({self.sent / self.seconds:.0f}/s asked {RATE}),"
            f" {self.refused} refused, median {self.p50:.0f} ms, p99 {self.p99:.0f} ms, max {self.longest:.0f} ms,"
            f" latest start {self.late:.2f} s behind its moment, PSS at most {self.memory_mb:.0f} MB, sender"
            f" {self.share:.2f} core{' (CLIENT-BOUND)' if self.client_bound else ''}"
        )


def row(quick: bool) -> Row:
    seconds = 8 if quick else SECONDS
    with tempfile.TemporaryDirectory(prefix="telemed-bench-") as folder:
        tls = _certificate(Path(folder))
        try:
            with servers.node(tls=tls) as server:
                ours = _minute(server, tls[0], seconds)
        except servers.NoPeer as reason:
            return skipped("city_burst_tls", GOAL, str(reason))
        theirs, beside = _beside(tls, seconds)
    return Row(
        what="city_burst_tls",
        value=round(ours.p99, 1),
        unit="ms (p99)",
        peer=servers.orthanc_version() if theirs else "limit",
        peer_value=round(theirs.p99, 1) if theirs else LIMIT_MS,
        ratio=round(LIMIT_MS / ours.p99, 2),
        goal=GOAL,
        met=ours.met,
        note=f"{ours}, {ASSOCIATIONS} associations, {servers.PROCESSES} receiving process; ratio to the limit;"
        f" Orthanc: {beside}; ours: {servers.OURS_SYNCS}; Orthanc: {servers.ORTHANC_SYNCS}",
    )


def _beside(tls: tuple[Path, Path], seconds: int) -> tuple[Minute | None, str]:
    """The same minute for Orthanc, and what is to be said of it."""
    try:
        with servers.orthanc(tls=tls) as server:
            found = _minute(server, tls[0], seconds)
    except (servers.NoPeer, subprocess.SubprocessError) as reason:
        return None, f"not measured, {reason}"
    return found, str(found)


def _minute(server: Server, authority: Path, seconds: int) -> Minute:
    asked = {
        "port": server.tls_port,
        "calling": CALLING,
        "called": server.called,
        "certificate": str(authority),
        "rate": RATE,
        "seconds": seconds,
        "associations": ASSOCIATIONS,
        "run": 7000,
    }
    memory, done = [server.memory_mb()], threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            memory.append(server.memory_mb())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "bench.dicom_rows.city_sender"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds * 5 + 60,
        )
    finally:
        done.set()
        watching.join()
    found = json.loads(answer.stdout)
    latencies = [1e3 * latency for latency in found["latencies"]]
    return Minute(
        refused=sum(count for status, count in found["statuses"].items() if status != "0000"),
        sent=len(latencies),
        seconds=found["seconds"],
        p50=quantile(latencies, 0.5),
        p99=quantile(latencies, 0.99),
        longest=max(latencies),
        late=found["late"],
        share=found["cpu"] / found["seconds"],
        memory_mb=max(memory),
    )


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Of its own making, for this run alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, private
