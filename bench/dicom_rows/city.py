"""`city_burst_tls`: a city's busiest minute, 134 mixed objects a second over TLS, into one node."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
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


def row(quick: bool) -> Row:
    seconds = 8 if quick else SECONDS
    with tempfile.TemporaryDirectory(prefix="telemed-bench-") as folder:
        tls = _certificate(Path(folder))
        try:
            with servers.node(tls=tls) as server:
                found, memory = _minute(server, tls[0], seconds)
        except servers.NoPeer as reason:
            return skipped("city_burst_tls", GOAL, str(reason))
    refused = sum(count for status, count in found["statuses"].items() if status != "0000")
    p99 = 1e3 * quantile(found["latencies"], 0.99)
    sent = len(found["latencies"])
    share = found["cpu"] / found["seconds"]
    # One Python process cannot use more than a core: what it asks late, it measures wrong.
    bound = share > 0.8
    return Row(
        what="city_burst_tls",
        value=round(p99, 1),
        unit="ms (p99)",
        peer="limit",
        peer_value=LIMIT_MS,
        ratio=round(LIMIT_MS / p99, 2),
        goal=GOAL,
        met=not refused and p99 < LIMIT_MS and memory <= LIMIT_MB and not bound and found["late"] < 1,
        note=f"{sent} objects in {found['seconds']:.1f} s ({sent / found['seconds']:.0f}/s asked {RATE}), {refused}"
        f" refused, median {1e3 * quantile(found['latencies'], 0.5):.0f} ms, max {1e3 * max(found['latencies']):.0f}"
        f" ms, latest start {found['late']:.2f} s behind its moment, PSS at most {memory:.0f} MB, sender"
        f" {share:.2f} core{' (CLIENT-BOUND)' if bound else ''}, {ASSOCIATIONS} associations,"
        f" {servers.PROCESSES} receiving process; {servers.OURS_SYNCS}",
    )


def _minute(server: Server, authority: Path, seconds: int) -> tuple[dict[str, object], float]:
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
    return json.loads(answer.stdout), max(memory)


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
