"""A name in each character set a machine may read: the same name, or one that is seen to be cut short."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filereader import read_dataset

from dicom_node.identifiers import Known, Request, answer, person_name, tag_of
from telemed.adapters.identity.latin_names import alphabetic, latin
from telemed.dimse.identifier import Encoding, Key, write_answer
from telemed.domain.names import divided
from telemed.imaging.charset import TextDecoder
from telemed.imaging.person_name import parse_person_name
from telemed.imaging.written_text import (
    ASCII,
    GB2312,
    GB18030,
    GBK,
    LATIN,
    MISSING,
    UTF8,
    Charset,
    charset_for,
)
from tests.unit.imaging.test_charset import COMMON

# In GB 2312; in GBK alone; in GB18030 by four bytes; beyond the first plane; without any reading in pinyin.
RARE = "镕喆堃玥婳昇誠麽㐀䶮㛃𠮷𤇾𬭚"
SHAPES = st.sampled_from(COMMON) | st.sampled_from(RARE)
NAMES = st.text(SHAPES, min_size=2, max_size=4)
CARRIED = {GB18030: "gb18030", GBK: "gbk", GB2312: "gb2312", UTF8: "utf-8"}


def answered(charset: Charset, **known: str) -> Dataset:
    keys = tuple(Key(tag_of(name), "PN" if name == "PatientName" else "LO") for name in known)
    asked = Request(keys, charset, TextDecoder())
    told: Known = known
    data = write_answer(answer(asked, told, latin=latin), Encoding(implicit=False), charset.write)
    ds = read_dataset(BytesIO(data), False, True)
    ds.decode()
    return ds


@settings(max_examples=150, deadline=None)
@given(NAMES, st.sampled_from(list(CARRIED)), st.booleans())
def test_a_name_is_itself_or_seen_to_be_cut_short(name: str, charset: Charset, minority: bool) -> None:
    name = f"{name}·{name[::-1]}" if minority else name
    expected = "".join(char if carried(char, CARRIED[charset]) else MISSING for char in name)
    ds = answered(charset, PatientName=person_name(name, alphabetic(name)))
    # As another program reads it.
    assert "\\".join(read_terms(ds)) == charset.term
    # pydicom decodes GB 2312 in G1 rightly and leaves its escape sequence standing.
    shown = str(ds.PatientName.ideographic).replace("\x1b$)A", "")
    assert shown.replace("^", "") == expected
    family = len(divided(name)[0])
    assert minority or shown == f"{expected[:family]}^{expected[family:]}"
    assert str(ds.PatientName.alphabetic).isascii()
    # As we read it back, where it was carried: the same person.
    if expected == name:
        raw = charset.write(person_name(name, alphabetic(name)))
        assert parse_person_name(raw, TextDecoder(tuple(charset.term.split("\\")))).display == name


@settings(max_examples=50, deadline=None)
@given(NAMES, st.sampled_from([LATIN, ASCII]))
def test_who_reads_latin_letters_gets_a_mark_only_for_what_has_no_sound(name: str, charset: Charset) -> None:
    known = {"StudyDescription": "胸部正位 2 张", "PatientID": "内科-12"}
    ds = answered(charset, PatientName=person_name(name, alphabetic(name)), **known)
    written = str(ds.PatientName)
    assert written == alphabetic(name) and written.isascii() and "=" not in written
    assert written.count("?") == name.count("𭬚")
    assert ds.StudyDescription == "xiong bu zheng wei  2  zhang"
    # A number that comes back must not be another's.
    assert ds.PatientID == "??-12"


def read_terms(ds: Dataset) -> list[str]:
    value = ds.SpecificCharacterSet
    return [value] if isinstance(value, str) else list(value)


def carried(char: str, codec: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("declared", "recorded", "expected"),
    [
        ("GB18030", "", GB18030),
        ("GBK", "ISO_IR 192", GBK),
        ("\\ISO 2022 IR 58", "", GB2312),
        ("ISO_IR 192", "ISO_IR 100", UTF8),
        # Declared by machines that mean nothing by it, unless it stands recorded.
        ("", "", GB18030),
        ("ISO_IR 100", "", GB18030),
        ("ISO_IR 100", "ISO_IR 100", LATIN),
        ("ISO_IR 6", "ISO 2022 IR 58", GB2312),
        ("", "GBK", GBK),
        ("", "UTF-8", UTF8),
        ("", "ISO_IR 6", ASCII),
        # Another script's machine reads the letters that every set begins with.
        ("ISO_IR 144", "", ASCII),
        ("\\ISO 2022 IR 149", "", ASCII),
        ("NOT_A_SET", "", GB18030),
    ],
)
def test_what_a_machine_reads(declared: str, recorded: str, expected: Charset) -> None:
    assert charset_for(declared.split("\\"), recorded) is expected
