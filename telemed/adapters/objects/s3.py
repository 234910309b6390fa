"""The object store as an S3 bucket: `ab/cd/<file digest>.dcm`, the same names as in a folder.

The S3 interface of the client has no "create only". The name takes its place: it is the digest of the bytes, so that
two writers of one name write the same, and an object that is there is left alone.
"""

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, cast
from urllib.parse import parse_qs, unquote, urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from telemed.domain.errors import Unavailable

# One request up to this size: most studies' objects need no parts.
_PART = 64 * 1024 * 1024
_PIECE = 1 << 20
_TIMEOUT = urllib3.Timeout(connect=5, read=60)
_RETRIES = urllib3.Retry(
    total=2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504], raise_on_status=False
)


@dataclass(frozen=True, kw_only=True)
class S3Address:
    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    secure: bool = True
    region: str | None = None

    @classmethod
    def parse(cls, address: str) -> "S3Address":
        """`s3://KEY:SECRET@HOST[:PORT]/BUCKET[?secure=0][&region=...]`; a colon in the key is written %3A."""
        parts = urlsplit(address)
        bucket = parts.path.strip("/")
        if parts.scheme != "s3" or not (parts.hostname and parts.username and parts.password and bucket):
            # Without the address itself: it holds the secret.
            raise ValueError(
                "an S3 store is given as s3://KEY:SECRET@HOST:PORT/BUCKET, with ?secure=0 for plain HTTP"
            )
        options = parse_qs(parts.query)
        return cls(
            endpoint=parts.netloc.rpartition("@")[2],
            bucket=bucket,
            access_key=unquote(parts.username),
            secret_key=unquote(parts.password),
            secure=options.get("secure", ["1"])[-1] != "0",
            region=options.get("region", [None])[-1],
        )


class S3Store:
    def __init__(self, address: S3Address) -> None:
        self._bucket = address.bucket
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=_RETRIES, maxsize=16)
        self._client = Minio(
            address.endpoint,
            access_key=address.access_key,
            secret_key=address.secret_key,
            secure=address.secure,
            region=address.region,
            http_client=self._pool,
        )

    @classmethod
    def from_url(cls, url: str) -> "S3Store":
        return cls(S3Address.parse(url))

    def close(self) -> None:
        self._pool.clear()

    def put(self, file_sha256: str, data: bytes) -> None:
        self.put_from(file_sha256, io.BytesIO(data))

    def put_from(self, file_sha256: str, source: BinaryIO) -> None:
        size = source.seek(0, os.SEEK_END)
        with _answering():
            # One of another size or digest is not this object, whatever its name says: it is written over.
            if self._size(file_sha256) == size and self._is_whole(file_sha256):
                return
            try:
                self._write(file_sha256, source, size)
            except S3Error as refusal:
                if refusal.code != "NoSuchBucket":
                    raise
                self._make_bucket()
                self._write(file_sha256, source, size)

    def get(self, file_sha256: str) -> bytes:
        with self._body(file_sha256) as pieces:
            return b"".join(pieces)

    def open(self, file_sha256: str) -> BinaryIO:
        # On the disk meanwhile: whoever sends it on must not find the line to the bucket broken in the middle.
        file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - the caller closes it
        try:
            with self._body(file_sha256) as pieces:
                for piece in pieces:
                    file.write(piece)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def has(self, file_sha256: str) -> bool:
        with _answering():
            return self._size(file_sha256) is not None

    def check(self) -> None:
        with _answering():
            if not self._client.bucket_exists(self._bucket):
                self._make_bucket()

    def _size(self, file_sha256: str) -> int | None:
        try:
            return self._client.stat_object(self._bucket, _name(file_sha256)).size
        except S3Error as refusal:
            if refusal.code in ("NoSuchKey", "NoSuchBucket"):
                return None
            raise

    @contextmanager
    def _body(self, file_sha256: str) -> Iterator[Iterator[bytes]]:
        with _answering():
            try:
                response = self._client.get_object(self._bucket, _name(file_sha256))
            except S3Error as refusal:
                if refusal.code in ("NoSuchKey", "NoSuchBucket"):
                    raise KeyError(file_sha256) from None
                raise
            try:
                yield response.stream(_PIECE)
            finally:
                response.close()
                response.release_conn()

    def _is_whole(self, file_sha256: str) -> bool:
        with self._body(file_sha256) as pieces:
            digest = hashlib.sha256()
            for piece in pieces:
                digest.update(piece)
        return digest.hexdigest() == file_sha256

    def _write(self, file_sha256: str, source: BinaryIO, size: int) -> None:
        source.seek(0)
        # The signature covers the digest of the body (over TLS: its MD5), so that the server refuses other bytes.
        self._client.put_object(
            self._bucket,
            _name(file_sha256),
            source,
            size,
            content_type="application/dicom",
            part_size=_PART,
        )

    def _make_bucket(self) -> None:
        try:
            self._client.make_bucket(self._bucket)
        except S3Error as refusal:
            # Another process was first.
            if refusal.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise


def _name(file_sha256: str) -> str:
    return f"{file_sha256[:2]}/{file_sha256[2:4]}/{file_sha256}.dcm"


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except S3Error as refusal:
        raise Unavailable("error.objects_unavailable", reason=str(refusal.code)) from refusal
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as fault:
        raise Unavailable("error.objects_unavailable", reason=type(fault).__name__) from fault
