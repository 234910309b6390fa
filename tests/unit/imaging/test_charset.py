"""Names right, whatever the tag says; stored bytes are only ever read."""

from __future__ import annotations

from pathlib import Path

import pydicom.data
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from telemed.imaging.charset import TextDecoder, codec_of, decode_text, decoder_for
from telemed.imaging.header import read_header
from telemed.imaging.person_name import parse_person_name
from tests.factories.dicom import mistagged_ecg_bytes, with_text

CHARSET_FILES = Path(pydicom.data.__file__).parent / "charset_files"


def _level_one() -> str:
    pairs = (bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return "".join(pair.decode("gb2312", "ignore") for pair in pairs)


COMMON = _level_one()
names = st.text(st.sampled_from(COMMON), min_size=2, max_size=4)
letters = st.text(
    st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), min_size=1, max_size=12
)
TAGS_OF_GB = ["GB18030", "GBK", "GB2312", "ISO 2022 IR 58", "ISO 2022 GBK", "gb18030"]
WEAK = [(), ("",), ("ISO_IR 100",), ("ISO_IR 6",), ("ISO 2022 IR 6",)]


def name_of(value: bytes, tags: tuple[str, ...] = (), default: str | None = None) -> str:
    return parse_person_name(value, TextDecoder(tags, default)).display


@given(names, st.sampled_from(TAGS_OF_GB))
def test_gb_declared_and_written(name: str, tag: str) -> None:
    assert decode_text(name.encode("gb18030"), (tag,)) == name


@given(names)
def test_utf8_declared_and_written(name: str) -> None:
    assert decode_text(name.encode(), ("ISO_IR 192",)) == name


@given(names, st.sampled_from(WEAK))
def test_gb_written_without_or_with_a_weak_tag(name: str, tags: tuple[str, ...]) -> None:
    assert decode_text(name.encode("gb18030"), tags) == name


@given(names, st.sampled_from([*WEAK, ("GB18030",)]))
def test_utf8_written_under_a_wrong_tag(name: str, tags: tuple[str, ...]) -> None:
    """Pairs of characters exist whose UTF-8 is everyday GB text as well; those need a device default."""
    stored = name.encode()
    as_gb = stored.decode("gb18030", "replace")
    assume(not all(char in COMMON or char.isascii() for char in as_gb))
    assert decode_text(stored, tags) == name


@given(names)
def test_gb_written_under_a_utf8_tag(name: str) -> None:
    assert decode_text(name.encode("gb18030"), ("ISO_IR 192",)) == name


@pytest.mark.parametrize("name", ["朱镕基试", "测喆堃", "周玥试", "试婳", "测昇", "张·𬭼试"])
def test_rare_characters_of_names_without_a_tag(name: str) -> None:
    assert decode_text(name.encode("gb18030"), ()) == name


@pytest.mark.parametrize(
    "name", ["Müller", "José", "Buc^Jérôme", "Äneas^Rüdiger", "François", "Zoë", "Ångström"]
)
@pytest.mark.parametrize("codec", ["latin-1", "utf-8"])
def test_western_names_are_not_taken_for_chinese(name: str, codec: str) -> None:
    assert decode_text(name.encode(codec), ("ISO_IR 100",) if codec == "latin-1" else ()) == name


@given(names)
def test_iso_2022_with_the_escape_in_each_component_or_only_once(name: str) -> None:
    family, given_name = name[:1].encode("gb2312"), name[1:].encode("gb2312")
    escape = b"\x1b$)A"
    for value in (
        b"Test^Xiao=" + escape + family + b"^" + escape + given_name,
        b"Test^Xiao=" + escape + family + b"^" + given_name,
    ):
        for tags in (("", "ISO 2022 IR 58"), ("ISO 2022 IR 58",), ()):
            assert name_of(value, tags) == name


@given(family=names, given_name=names, alphabetic=letters)
def test_components_are_split_after_decoding(family: str, given_name: str, alphabetic: str) -> None:
    value = f"{alphabetic}^{alphabetic}={family}^{given_name}"
    for codec, tag in (("gb18030", "GB18030"), ("utf-8", "ISO_IR 192")):
        parsed = parse_person_name(value.encode(codec), TextDecoder((tag,)))
        assert parsed.raw == value
        assert parsed.display == family + given_name


def test_every_gbk_character_that_ends_in_a_delimiter_survives() -> None:
    for lead in range(0x81, 0xFF):
        for delimiter in b"\\^":
            char = bytes((lead, delimiter)).decode("gbk", "ignore")
            if len(char) == 1 and not char.isascii():
                assert name_of(f"{char}^试".encode("gb18030"), ("GB18030",)).replace(" ", "") == f"{char}试"


@given(
    st.binary(max_size=40),
    st.sampled_from([*WEAK, ("GB18030",), ("ISO_IR 192",), ("", "ISO 2022 IR 58"), ("?",)]),
)
@settings(max_examples=300)
def test_no_bytes_are_refused(value: bytes, tags: tuple[str, ...]) -> None:
    assert isinstance(decode_text(value, tags), str)
    assert isinstance(name_of(value, tags), str)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30))
def test_ascii_is_the_same_under_every_tag(text: str) -> None:
    for tags in (*WEAK, ("GB18030",), ("ISO_IR 192",), ("nonsense",)):
        assert decode_text(text.encode(), tags) == text.strip(" ")


def test_a_character_cut_at_the_end_of_a_field_spoils_only_itself() -> None:
    for codec, tag in (("gb18030", "GB18030"), ("utf-8", "ISO_IR 192")):
        assert decode_text("乡镇卫生院".encode(codec)[:-1], (tag,)) == "乡镇卫生\ufffd"


def test_the_device_default_decides_where_the_bytes_alone_do_not() -> None:
    assert decode_text("Öz".encode("latin-1"), (), default="GB18030") == "謟"
    assert decode_text("Öz".encode("latin-1"), ()) == "Öz"
    assert decode_text("иван".encode("iso8859-5"), (), default="ISO_IR 144") == "иван"
    assert decode_text("测试".encode("gb18030"), (), default="no such name") == "测试"


def test_the_other_texts_of_the_object_speak_for_a_short_name() -> None:
    short = "Öz".encode("latin-1")
    texts = [short, "第一乡镇卫生院".encode("gb18030")]
    assert decoder_for((), texts).text(short) == "謟"


def test_names_of_encodings() -> None:
    assert [codec_of(name) for name in ("gbk", "ISO_IR 192", "utf8", "ISO_IR 144", "nonsense")] == [
        "gb18030", "utf-8", "utf-8", "iso_ir_144", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("张^测试", "张测试"),
        ("张测试", "张测试"),
        ("Zhang^Ceshi", "Zhang Ceshi"),
        ("Zhang^Ceshi=张^测试", "张测试"),
        ("=张^测试", "张测试"),
        ("示例·买买提", "示例·买买提"),
        ("^^^^", ""),
        ("", ""),
        ("张测试 ", "张测试"),
    ],
)
def test_display_form(stored: str, shown: str) -> None:
    assert name_of(stored.encode(), ("ISO_IR 192",)) == shown


@pytest.mark.parametrize("path", sorted(CHARSET_FILES.glob("chr[!S]*.dcm")), ids=lambda path: path.stem)
def test_conformant_files_read_as_pydicom_reads_them(path: Path) -> None:
    ds = dcmread(path)
    assert read_header(path.read_bytes()).patient_name.raw == str(ds.PatientName).rstrip("^=")


@pytest.mark.parametrize(
    ("declared", "written"), [("ISO_IR 100", "gb18030"), (None, "gb18030"), ("GB18030", "utf-8")]
)
def test_a_whole_object_under_a_wrong_tag(declared: str | None, written: str) -> None:
    data = mistagged_ecg_bytes(written=written, declared=declared, InstitutionName="#SITE#")
    stored = with_text(data, "#SITE#", "示例卫生院".encode(written))
    before = bytes(stored)
    header = read_header(stored)
    assert (header.patient_name.display, header.institution_name) == ("测试一", "示例卫生院")
    assert stored == before
