"""Keeps the text catalogues sorted; with a file of `{key: [Chinese, English]}` it adds those texts first.

python tools/sort_catalogue.py [NEW_TEXTS.json]
"""

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "telemed" / "i18n"


def main(arguments: list[str]) -> None:
    given = json.loads(Path(arguments[0]).read_text(encoding="utf-8")) if arguments else {}
    for column, language in enumerate(("zh-CN", "en")):
        path = FOLDER / f"{language}.json"
        texts = json.loads(path.read_text(encoding="utf-8"))
        texts.update({key: both[column] for key, both in given.items()})
        # Replaced in one step: a reader of the file never sees half of it.
        partial = path.with_suffix(".json.partial")
        partial.write_text(
            json.dumps(texts, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8"
        )
        partial.replace(path)


if __name__ == "__main__":
    main(sys.argv[1:])
