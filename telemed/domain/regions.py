"""Which part of the body an exam shows, from the words that devices and order forms have for it."""

# The narrower word first: what it names is not named again by a word within it ("chest" in the thoracic spine).
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cervical spine", ("CERVICAL SPINE", "CSPINE", "C SPINE", "C-SPINE", "颈椎")),
    ("thoracic spine", ("THORACIC SPINE", "TSPINE", "T SPINE", "T-SPINE", "胸椎")),
    ("lumbar spine", ("LUMBAR SPINE", "LSPINE", "L SPINE", "L-SPINE", "LUMBAR", "腰椎", "腰骶")),
    ("spine", ("SPINE", "脊柱", "脊椎")),
    ("head", ("HEAD", "BRAIN", "SKULL", "头", "颅", "脑")),
    ("neck", ("NECK", "颈")),
    ("heart", ("HEART", "CARDIAC", "CORONARY", "心脏", "冠脉", "冠状动脉")),
    ("chest", ("CHEST", "THORAX", "LUNG", "胸", "肺")),
    ("abdomen", ("ABDOMEN", "LIVER", "KIDNEY", "PANCREAS", "腹", "肝", "肾", "胰")),
    ("pelvis", ("PELVIS", "盆")),
    ("hip", ("HIP", "髋")),
    ("knee", ("KNEE", "膝")),
    ("ankle", ("ANKLE", "踝")),
    ("foot", ("FOOT", "足部", "左足", "右足", "双足")),
    ("shoulder", ("SHOULDER", "肩")),
    ("elbow", ("ELBOW", "肘")),
    ("wrist", ("WRIST", "腕")),
    ("hand", ("HAND", "手部", "左手", "右手", "双手")),
    ("breast", ("BREAST", "乳腺")),
)


def regions(text: str) -> frozenset[str]:
    """Every part that the text names; empty where it names none that is known."""
    left = text.upper()
    found = set()
    for name, words in _WORDS:
        for word in words:
            if word in left:
                found.add(name)
                left = left.replace(word, " ")
    return frozenset(found)


def same_region(part: str, exam: str, other_part: str, other_exam: str) -> bool:
    """Whether two exams show a part in common. The body part counts first; where nothing is known of it, the name
    of the exam: two that are named alike are alike, and of all others nothing is assumed."""
    one, other = (regions(p) or regions(e) for p, e in ((part, exam), (other_part, other_exam)))
    if one or other:
        return bool(one & other)
    named, as_named = (
        p.strip().upper() or e.strip().upper() for p, e in ((part, exam), (other_part, other_exam))
    )
    return named != "" and named == as_named
