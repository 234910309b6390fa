"""Makes the two fonts of the printed report from the full Noto Sans CJK SC (SIL OFL 1.1).

    python tools/subset_fonts.py [--source /usr/share/fonts/opentype/noto]

The source is Debian's package fonts-noto-cjk (version 2.004 of the font). Regular carries every Han
character of GBK and of the national standard list of 2013, because a resident's name must print; Bold sets
headings only and carries GB 2312, the rest of a heading falls back to Regular.
"""

import argparse
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

TARGET = Path(__file__).resolve().parent.parent / "telemed" / "adapters" / "pdf" / "fonts"
FAMILY = "Noto Sans CJK SC"

# 通用规范汉字表 (State Council, 2013), the characters outside GBK: what a civil registry may put into a name.
# Extensions A and B as listed here; extensions C to G and the end of the basic block are taken whole below.
STANDARD_LIST_EXT_A_B = (
    "㑇㑊㕮㘎㙍㙘㙦㛃㛚㛹㟃㠇㠓㤘㥄㧐㧑㧟㫰㬊㬎㬚㭎㭕㮾㰀㳇㳘㳚㴔㵐㶲㸆㸌㺄㻬㽏㿠䁖䂮䃅䃎䅟䌹䎃䎖䏝䏡䏲䐃䓖䓛䓨"
    "䓫䓬䗖䗛䗪䗴䜣䝙䢺䢼䣘䥽䦃䲟䲠䲢䴓䴔䴕䴖䴗䴘䴙䶮"
    "𠅤𠙶𠳐𡎚𡐓𣗋𣲗𣲘𣸣𤧛𤩽𤫉𥔲𥕢𥖨𥻗𦈡𦒍𦙶𦝼𦭜𦰡𧿹𨐈𨙸𨚕𨟠𨭉𨱇𨱏𨱑𨱔𨺙𩽾𩾃𩾌"
)

# Latin with its accents, Greek, Cyrillic; punctuation, currency, letter-like, numerals, arrows, operators;
# enclosed numbers, box drawing, shapes; CJK punctuation, Chinese phonetic signs; full-width forms.
BLOCKS = (
    (0x0020, 0x007E),
    (0x00A0, 0x024F),
    (0x02C6, 0x02DD),
    (0x0370, 0x03FF),
    (0x0400, 0x045F),
    (0x1E00, 0x1EFF),
    (0x2010, 0x205E),
    (0x2070, 0x209F),
    (0x20A0, 0x20BF),
    (0x2100, 0x218F),
    (0x2190, 0x21FF),
    (0x2200, 0x22FF),
    (0x2300, 0x23FF),
    (0x2460, 0x24FF),
    (0x2500, 0x257F),
    (0x2580, 0x25FF),
    (0x2600, 0x267F),
    (0x2700, 0x27BF),
    (0x3000, 0x303F),
    (0x30FB, 0x30FC),
    (0x3105, 0x312F),
    (0x3200, 0x33FF),
    (0xFE10, 0xFE4F),
    (0xFF01, 0xFFE6),
)
REST_OF_THE_STANDARD = ((0x9FA6, 0x9FFF), (0x2A700, 0x2EBEF), (0x30000, 0x3134F))


def characters_of(codec: str) -> set[int]:
    """Every character that a two-byte Chinese encoding can write, the private-use ones left out."""
    found: set[int] = set()
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            character = bytes((lead, trail)).decode(codec, errors="ignore")
            if len(character) == 1 and not 0xE000 <= ord(character) <= 0xF8FF:
                found.add(ord(character))
    return found


def within(blocks: tuple[tuple[int, int], ...]) -> set[int]:
    return {code for first, last in blocks for code in range(first, last + 1)}


def regular() -> set[int]:
    rare = {ord(character) for character in STANDARD_LIST_EXT_A_B}
    return characters_of("gbk") | rare | within(REST_OF_THE_STANDARD) | within(BLOCKS)


def bold() -> set[int]:
    return characters_of("gb2312") | within(((0x0020, 0x007E), (0x00A0, 0x00FF), (0x2010, 0x2027)))


def face(collection: Path) -> TTFont:
    for font in TTCollection(collection, lazy=True).fonts:
        if font["name"].getDebugName(1) == FAMILY:
            return font
    raise SystemExit(f"{collection} holds no face named {FAMILY}")


def subset(source: Path, wanted: set[int], target: Path) -> None:
    font = face(source)
    options = Options()
    # Without `locl`: it would carry the Japanese, Korean and Taiwanese shapes of every character along.
    options.layout_features = ["kern", "mark", "halt", "palt"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 7, 13, 14, 16, 17]
    options.name_languages = [0x409]
    options.hinting = False
    options.desubroutinize = False
    options.notdef_outline = True
    options.drop_tables += ["vhea", "vmtx", "VORG", "DSIG", "BASE"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    # The date of the source, so that the same source gives the same bytes.
    font.recalcTimestamp = False
    font.save(target)
    covered = len(TTFont(target).getBestCmap())
    print(f"{target.name}: {covered} characters, {target.stat().st_size / 1e6:.2f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, default=Path("/usr/share/fonts/opentype/noto"))
    parser.add_argument("--target", type=Path, default=TARGET)
    arguments = parser.parse_args()
    source: Path = arguments.source
    if not (source / "NotoSansCJK-Regular.ttc").exists():
        raise SystemExit(f"{source} holds no NotoSansCJK-Regular.ttc: install the package fonts-noto-cjk")
    target: Path = arguments.target
    target.mkdir(parents=True, exist_ok=True)
    subset(source / "NotoSansCJK-Regular.ttc", regular(), target / "NotoSansCJKsc-Regular.otf")
    subset(source / "NotoSansCJK-Bold.ttc", bold(), target / "NotoSansCJKsc-Bold.otf")


if __name__ == "__main__":
    main()
