"""Model cards as HTML: the little Markdown they are written in, everything else escaped."""

import re
from collections.abc import Callable, Iterator

from markupsafe import Markup, escape

_HEADING = re.compile(r"(#{1,4})\s+(.*)")
_ITEM = re.compile(r"\s*[-*]\s+(.*)")
_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*")
_TAGS = ("code", "strong", "em")


def to_html(source: str) -> Markup:
    """Headings, paragraphs, lists, tables, fenced code, `code`, **strong** and *emphasis*; no links, no raw HTML."""
    return Markup("\n").join(_blocks(source.splitlines()))


def _blocks(lines: list[str]) -> Iterator[Markup]:
    position = 0
    while position < len(lines):
        line = lines[position]
        end = position + 1
        if not line.strip():
            pass
        elif line.startswith("```"):
            end = _until(lines, end, lambda one: one.startswith("```"))
            yield Markup("<pre>{}</pre>").format("\n".join(lines[position + 1 : end]))
            end += 1
        elif heading := _HEADING.match(line):
            # The card stands below a heading of the page.
            level = min(len(heading[1]) + 3, 6)
            yield Markup("<h{0}>{1}</h{0}>").format(level, _inline(heading[2]))
        elif _ITEM.match(line):
            end = _until(lines, position, lambda one: not (_ITEM.match(one) or one.startswith("  ")))
            yield _list(lines[position:end])
        elif line.lstrip().startswith("|"):
            end = _until(lines, position, lambda one: not one.lstrip().startswith("|"))
            yield _table(lines[position:end])
        else:
            end = _until(lines, end, _starts_block)
            yield Markup("<p>{}</p>").format(_inline(" ".join(lines[position:end])))
        position = end


def _until(lines: list[str], start: int, stop: Callable[[str], object]) -> int:
    return next((i for i in range(start, len(lines)) if stop(lines[i])), len(lines))


def _starts_block(line: str) -> bool:
    return (
        not line.strip() or bool(_HEADING.match(line) or _ITEM.match(line)) or line.startswith(("|", "```"))
    )


def _list(lines: list[str]) -> Markup:
    items: list[str] = []
    for line in lines:
        if item := _ITEM.match(line):
            items.append(item[1])
        else:
            items[-1] += " " + line.strip()
    return Markup("<ul>{}</ul>").format(
        Markup("").join(Markup("<li>{}</li>").format(_inline(i)) for i in items)
    )


def _table(lines: list[str]) -> Markup:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    rows = [row for row in rows if not all(set(cell) <= set("-: ") for cell in row)]
    head = _row(rows[0], Markup("<th>{}</th>")) if rows else Markup("")
    body = Markup("").join(_row(row, Markup("<td>{}</td>")) for row in rows[1:])
    return Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(head, body)


def _row(cells: list[str], cell: Markup) -> Markup:
    made = Markup("").join(cell.format(_inline(one)) for one in cells)
    return Markup("<tr>{}</tr>").format(made)


def _inline(source: str) -> Markup:
    parts, position = [], 0
    for found in _INLINE.finditer(source):
        parts.append(escape(source[position : found.start()]))
        tag, words = next(pair for pair in zip(_TAGS, found.groups(), strict=True) if pair[1])
        parts.append(Markup("<{0}>{1}</{0}>").format(tag, words))
        position = found.end()
    return Markup("").join([*parts, escape(source[position:])])
