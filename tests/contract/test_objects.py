"""The final place of bytes: a folder or an S3 bucket."""

import hashlib
import threading
from io import BytesIO

import pytest

from telemed.adapters.objects.s3 import S3Address, S3Store
from telemed.application.ports import ObjectStore
from telemed.domain.errors import Unavailable


def named(data: bytes) -> tuple[str, bytes]:
    return hashlib.sha256(data).hexdigest(), data


def test_bytes_come_back_as_they_were(objects: ObjectStore) -> None:
    for data in (b"\x00\xff\r\n" * 1000, "患者".encode("gb18030"), bytes(range(256)) * 40_000):
        name, data = named(data)
        objects.put(name, data)
        assert objects.get(name) == data


def test_an_object_that_is_not_there_is_a_key_error(objects: ObjectStore) -> None:
    with pytest.raises(KeyError):
        objects.get("0" * 64)
    objects.put(*named(b"something"))
    with pytest.raises(KeyError):
        objects.get("0" * 64)


def test_the_same_object_again_is_no_error(objects: ObjectStore) -> None:
    name, data = named(b"one and the same")
    objects.put(name, data)
    objects.put(name, data)
    assert objects.get(name) == data


def test_an_object_is_never_replaced(objects: ObjectStore) -> None:
    name, data = named(b"first")
    objects.put(name, data)
    objects.put(name, b"other")
    assert objects.get(name) == data


def test_a_damaged_object_is_replaced_by_what_its_name_says(objects: ObjectStore) -> None:
    name, data = named(b"as it was promised" * 9)
    objects.put(name, b"not " + data[4:])
    objects.put_from(name, BytesIO(data))
    assert objects.get(name) == data
    with objects.open(name) as file:
        assert (file.read(5), file.seek(0), file.read()) == (data[:5], 0, data)
    with pytest.raises(KeyError):
        objects.open("0" * 64)


def test_eight_that_put_one_object_leave_one(objects: ObjectStore) -> None:
    name, data = named(b"raced for" * 5000)
    start, faults = threading.Barrier(8), list[BaseException]()

    def put() -> None:
        start.wait()
        try:
            objects.put(name, data)
        except BaseException as fault:  # noqa: BLE001 raised again by the test
            faults.append(fault)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == [] and objects.get(name) == data


def test_a_store_that_answers_passes_its_check(objects: ObjectStore) -> None:
    objects.check()


@pytest.mark.swift
def test_a_wrong_secret_is_refused_and_told_to_nobody(s3_address: str) -> None:
    store = S3Store.from_url(s3_address.replace(":testing@", ":not-the-secret@") + "/objects?secure=0")
    with pytest.raises(Unavailable) as refused:
        store.put(*named(b"anything"))
    assert refused.value.params == {"reason": "SignatureDoesNotMatch"}
    assert "not-the-secret" not in repr(refused.value) + str(refused.value.__cause__)
    store.close()


def test_an_s3_that_does_not_answer_is_unavailable() -> None:
    # Port 9 of this machine: nobody listens, and the system says so at once.
    store = S3Store.from_url("s3://key:a-secret@127.0.0.1:9/objects?secure=0")
    for act in (lambda: store.get("0" * 64), lambda: store.put(*named(b"x")), store.check):
        with pytest.raises(Unavailable) as fault:
            act()
        assert "a-secret" not in f"{fault.value!r} {fault.value.__cause__}"
    store.close()


def test_an_address_is_read_with_its_encoded_characters() -> None:
    address = S3Address.parse(
        "s3://test%3Atester:p%40ss%2Fword@store.example:9000/objects?secure=0&region=cn-1"
    )
    assert (address.endpoint, address.bucket) == ("store.example:9000", "objects")
    assert (address.access_key, address.secret_key) == ("test:tester", "p@ss/word")
    assert not address.secure and address.region == "cn-1"
    assert "p@ss" not in repr(address)
    assert S3Address.parse("s3://key:secret@store.example/objects").secure


@pytest.mark.parametrize(
    "url",
    ["s3://store.example/objects", "s3://key:top-secret@store.example", "http://key:top-secret@h/b", "s3://"],
)
def test_an_address_that_lacks_a_part_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(ValueError, match="s3://KEY:SECRET@HOST") as refused:
        S3Address.parse(url)
    assert "top-secret" not in str(refused.value)
