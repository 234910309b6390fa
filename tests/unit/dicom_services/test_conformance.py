"""docs/conformance.md says what the code does, table by table."""

import ssl
from pathlib import Path

import pytest
from pydicom.uid import UID

from dicom_node import query, services, worklist
from dicom_node.limits import Limits
from dicom_node.statuses import Status
from telemed.application.commit import CLASS_INSTANCE_CONFLICT, NO_SUCH_OBJECT, PROCESSING_FAILURE
from telemed.application.modality_worklist import MOST_STEPS
from telemed.application.ports.dicom import Level
from telemed.application.query import MOST_ANSWERS
from telemed.dimse import requestor
from telemed.dimse.tls import Identity, TlsProfile, provider_context, user_context
from telemed.imaging import written_text as w
from telemed.imaging.own_head import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from telemed.imaging.part10 import EXPLICIT_LITTLE
from telemed.imaging.pixels.encode import LOSSLESS
from telemed.settings import Settings
from telemed.web.dicomweb.answers import OCTETS
from telemed.web.dicomweb.frames import ENCODED
from tests.certificates import Authority

TEXT = (Path(__file__).parents[3] / "docs" / "conformance.md").read_text(encoding="utf-8")
SYNTAXES = {"explicit": services.EXPLICIT, "implicit": services.IMPLICIT}


def rows(heading: str, table: int = 0) -> list[list[str]]:
    """The cells of a table under a heading, without its head."""
    _, _, rest = TEXT.partition(f"\n{heading}\n")
    assert rest, heading
    section = rest.split("\n#")[0]
    tables: list[list[str]] = [[]]
    for line in section.splitlines():
        if line.startswith("|"):
            tables[-1].append(line)
        elif tables[-1]:
            tables.append([])
    lines = [t for t in tables if t][table][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_implementation() -> None:
    stated = dict(rows("## Implementation"))
    assert (
        stated["Implementation Class UID"] == IMPLEMENTATION_CLASS_UID == requestor.IMPLEMENTATION_CLASS_UID
    )
    assert stated["Implementation Version Name"] == IMPLEMENTATION_VERSION_NAME
    assert requestor.IMPLEMENTATION_VERSION_NAME == IMPLEMENTATION_VERSION_NAME
    limits = Limits.of(Settings())
    assert int(stated["Maximum PDU received"]) == limits.maximum_pdu
    places = f"{limits.maximum_associations} of one process, {limits.maximum_per_site} of one institution"
    more = "(`TELEMED_DICOM_PER_SITE`; twice that of a process where it is more)"
    assert stated["Associations at once"] == f"{places} {more}"
    wider = Limits.of(Settings(dicom_per_site=100))
    assert (wider.maximum_per_site, wider.maximum_associations) == (100, 200)
    assert stated["Time for a message"] == (
        f"{limits.stalled_seconds:.0f} s, and beyond them at least {limits.slowest_bytes_per_second} bytes/s"
    )
    assert stated["Idle time before an association is ended"] == f"{limits.idle_seconds:.0f} s"
    assert stated["Time for an association request (ARTIM)"] == f"{limits.request_seconds:.0f} s"


@pytest.mark.parametrize("profile", TlsProfile)
def test_the_profiles_of_tls(tmp_path: Path, profile: TlsProfile) -> None:
    stated = {setting.split()[0]: cells for setting, *cells in rows("## Secure transport")}
    assert set(stated) == set(TlsProfile)
    assert Settings().dicom_tls_profile == next(
        row[0].split()[0] for row in rows("## Secure transport") if "(default)" in row[0]
    )
    _, versions, suites = stated[profile]
    authority = Authority.make(tmp_path, "region")
    own = authority.issue("node", rsa=True)
    identity = Identity(certificate=own.certificate, key=own.key)
    for context in (
        provider_context(profile, identity, authority.pair.pem),
        user_context(profile, identity, authority.pair.pem),
    ):
        old = [suite["name"] for suite in context.get_ciphers() if suite["protocol"] == "TLSv1.2"]
        new = [suite["name"] for suite in context.get_ciphers() if suite["protocol"] == "TLSv1.3"]
        assert old == suites.split(", ")
        assert (versions, bool(new)) == ("1.2, 1.3", True)
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_what_dicomweb_turns_objects_into() -> None:
    (plain, *compressed) = rows("## DICOMweb")
    assert (plain[0], plain[1]) == (EXPLICIT_LITTLE, OCTETS)
    assert {syntax: kind for syntax, kind, _ in compressed} == {made: kind for kind, made in ENCODED.items()}
    assert {syntax for syntax, *_ in compressed} == set(LOSSLESS)


def test_the_sop_classes_and_transfer_syntaxes_offered() -> None:
    stated = {
        uid: tuple(SYNTAXES[word.strip()] for word in syntaxes.split(","))
        for _, _, uid, syntaxes in rows("## SOP classes as provider (SCP)")
        if uid != "any"
    }
    assert stated == services.CONTEXTS


def test_each_uid_is_the_class_it_is_called() -> None:
    for _, name, uid, _ in rows("## SOP classes as provider (SCP)"):
        if uid != "any":
            known = UID(uid).name.replace("Query/Retrieve Information Model", "").replace("SOP Class", "")
            words = set(known.replace("-", " ").split())
            assert words <= set(name.replace("-", " ").split()) | {"Information", "Model"}, (name, known)


def test_the_statuses() -> None:
    stated: dict[str, dict[str, int]] = {}
    for service, number, name in rows("## Statuses"):
        stated.setdefault(service, {})[name] = int(number, 16)
    for names in stated.values():
        assert names == {name: int(Status[name]) for name in names}
    said = {name for names in stated.values() for name in names}
    assert said == set(Status.__members__)


def test_the_matching_keys() -> None:
    stated = {level: tuple(keys.split(", ")) for level, keys in rows("### Query/Retrieve keys")}
    above: tuple[str, ...] = ()
    for level in Level:
        above += stated[level.value]
        assert query.MATCHED[level] == above
    besides = {level: tuple(keys.split(", ")) for level, keys in rows("### Query/Retrieve keys", 1)}
    assert {level.value: keys for level, keys in query.RETURNED.items()} == besides
    steps = [tuple(cell[0].split(" > ")) for cell in rows("### Worklist keys")]
    assert tuple(steps) == worklist.MATCHED


def test_the_sets_in_which_answers_are_written() -> None:
    sets = (w.GB18030, w.UTF8, w.GBK, w.GB2312, w.LATIN, w.ASCII)
    stated = {
        term.replace("\\\\", "\\").replace("(no value)", ""): lost
        for term, _, lost in rows("## Character sets")
    }
    assert list(stated) == [one.term for one in sets]
    for charset in sets:
        lost = stated[charset.term]
        # A Chinese character of the rarest kind, and one of everyday.
        carried = lost == "nothing"
        assert (charset.write("𠮷") in (charset.write(w.MISSING), b"?")) is not carried
        assert charset.latin is ("sound" in lost or lost == "as ISO_IR 100")
        assert charset.latin is (charset.write("张") == b"?")


def test_the_limits_and_reasons_named_in_the_text() -> None:
    plain = " ".join(TEXT.split())
    assert f"At most {MOST_ANSWERS} matches ({MOST_STEPS} worklist items)" in plain
    reasons = f"0x{NO_SUCH_OBJECT:04X} not held, 0x{CLASS_INSTANCE_CONFLICT:04X} held under another class"
    assert f"{reasons}, 0x{PROCESSING_FAILURE:04X} damaged or lost" in plain
