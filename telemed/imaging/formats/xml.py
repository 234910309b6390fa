"""A small, closed XML reader: no document type, no entities, no network, bounded depth and size.

Character sets are decoded here, because expat knows none of the Chinese ones and devices declare GB2312 or
declare UTF-8 and write GBK.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

# Only the bare tokenizer, with the document type refused before any entity could be declared.
from xml.parsers import expat

from telemed.imaging.charset import codec_of
from telemed.imaging.formats.errors import LARGEST_FILE, FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']\s*([A-Za-z0-9._ -]+?)\s*["']""")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\x00?\x00", "utf-16-le"),
    (b"\x00<\x00?", "utf-16-be"),
)
# HL7 nests about 25 deep, and a beat's annotations make a file of some ten thousand elements.
_DEEPEST = 64
_MOST_ELEMENTS = 500_000


@dataclass
class Node:
    """An element: its local name, attributes by local name, children, and its own text."""

    name: str
    attributes: dict[str, str]
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def get(self, attribute: str) -> str:
        return self.attributes.get(attribute, "").strip()

    def all(self, path: str) -> Iterator[Node]:
        """Every element at a path of names, such as "component/sequence/value"."""
        head, _, rest = path.partition("/")
        for child in self.children:
            if child.name == head:
                if rest:
                    yield from child.all(rest)
                else:
                    yield child

    def find(self, path: str) -> Node:
        """The first element at a path; an empty one where there is none."""
        return next(self.all(path), Node(path, {}))

    def said(self, path: str) -> str:
        """The text of the first element at a path, without the space around it."""
        return self.find(path).text.strip()

    def walk(self, name: str) -> Iterator[Node]:
        """Every element of this name below, in the order of the file."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.walk(name)


def decode(data: bytes) -> str:
    """The characters of an XML file by its mark, its declaration, or its bytes. Never raises."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return data.decode(codec, "replace").lstrip("\ufeff")
    declared = _DECLARED.match(data[:400])
    name = declared.group(1).decode("ascii") if declared else "utf-8"
    for codec in (_codec(name), "utf-8", "gb18030"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8", "replace")


def parse(data: bytes, document_type: str = "") -> Node:
    """The root of an XML file. Raises FormatError format.xml_damaged (line), format.xml_doctype, format.too_large.

    A document type is refused, save the one named `document_type` where it declares nothing itself; what it points
    to is never fetched.
    """
    if len(data) > LARGEST_FILE:
        raise FormatError("format.too_large", limit=LARGEST_FILE >> 20)
    return _Builder(document_type).build(decode(data))


class _Builder:
    def __init__(self, document_type: str) -> None:
        self._document_type = document_type
        self._root = Node("", {})
        self._open = [self._root]
        self._texts: list[list[str]] = [[]]
        self._elements = 0

    def build(self, text: str) -> Node:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._document
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(text.encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            raise FormatError("format.xml_damaged", line=error.lineno) from error
        return self._root.children[0]

    def _document(self, name: str, _system: str | None, _public: str | None, internal: int) -> None:
        if internal or name != self._document_type:
            self._refuse()

    def _refuse(self, *_: object) -> None:
        raise FormatError("format.xml_doctype")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) > _DEEPEST or self._elements > _MOST_ELEMENTS:
            raise FormatError("format.xml_damaged", line=0)
        node = Node(_local(name), {_local(key): value for key, value in attributes.items()})
        self._open[-1].children.append(node)
        self._open.append(node)
        self._texts.append([])

    def _end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def _characters(self, text: str) -> None:
        self._texts[-1].append(text)


def _local(name: str) -> str:
    """The name without its prefix: devices leave the namespace out, or invent one."""
    return name.rpartition(":")[2]


def _codec(name: str) -> str:
    known = codec_of(name)
    if known is not None:
        return known
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"
