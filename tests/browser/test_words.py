"""What the pages say: in the reader's language, from the catalogue, never a raw key."""

import json
import re
from pathlib import Path

import pytest

import telemed
from telemed.i18n import catalogue, languages
from tests.browser.conftest import OpenPage
from tests.browser.rendering import MANIFEST, PAGES, STATIC, WEB, page
from tests.browser.stub import Stub

CJK = re.compile(r"[⺀-〿㐀-鿿豈-﫿＀-￯]")
RAW_KEY = re.compile(r"\b(?:ui|page|error|notice)\.[a-z_]+(?:\.[a-z_]+)*\b")
SOURCES = Path(telemed.__file__).parent / "frontend" / "src"


def templates() -> list[Path]:
    return sorted((WEB / "templates").glob("*.html"))


@pytest.mark.parametrize("source", templates(), ids=lambda path: path.name)
def test_templates_hold_no_text_of_their_own(source: Path) -> None:
    without_comments = re.sub(r"\{#.*?#\}", "", source.read_text(encoding="utf-8"), flags=re.S)
    assert CJK.findall(without_comments) == []
    assert " style=" not in without_comments
    assert re.findall(r"\son[a-z]+=", without_comments) == []


@pytest.mark.skipif(not SOURCES.exists(), reason="an installed package carries no TypeScript sources")
def test_scripts_hold_no_text_of_their_own() -> None:
    # How an exam's own name says chest, and a series' from which side: data, not a text.
    allowed = "胸正侧斜位前后头尾内外"
    for source in SOURCES.rglob("*.ts"):
        found = set("".join(CJK.findall(source.read_text(encoding="utf-8")))) - set(allowed)
        assert found == set(), source.name


@pytest.mark.parametrize("language", languages)
@pytest.mark.parametrize("path", PAGES)
def test_no_page_shows_a_raw_key(path: str, language: str) -> None:
    if not MANIFEST.exists():
        pytest.fail("the pages' scripts are not built: run `make install`", pytrace=False)
    html = re.sub(r"<script.*?</script>", "", page(path, language), flags=re.S)
    assert RAW_KEY.findall(html) == []


def test_every_text_of_the_pages_is_used() -> None:
    sources = "".join(p.read_text(encoding="utf-8") for p in [*SOURCES.rglob("*.ts"), *templates()])
    if not SOURCES.exists():
        pytest.skip("an installed package carries no TypeScript sources")
    # A key is used as it stands, or by a family such as `ui.priority.${level}` or "page.role." ~ role.
    families = set(re.findall(r"((?:ui|page)\.[a-z_.]*?\.)(?:\$\{|\" ~)", sources)) | {"page.nav."}
    unused = [
        key
        for key in catalogue("zh-CN")
        if key.startswith(("ui.", "page."))
        and f'"{key}"' not in sources
        and f"'{key}'" not in sources
        and not any(key.startswith(family) for family in families)
    ]
    assert unused == []


@pytest.mark.browser
@pytest.mark.parametrize("path", [path for path in PAGES if path != "/review"])
def test_an_english_page_holds_no_chinese_but_data(open_page: OpenPage, stub: Stub, path: str) -> None:
    stub.state.language = "en"
    opened = open_page(path)
    opened.wait_for_load_state("networkidle") if path != "/reading" else opened.locator(
        ".rows .row"
    ).first.wait_for()
    texts = opened.evaluate(
        """() => {
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const found = [];
          while (walker.nextNode()) {
            const holder = walker.currentNode.parentElement;
            if (!holder.closest('script, [lang="zh-CN"]')) found.push(walker.currentNode.data);
          }
          for (const e of document.querySelectorAll('[aria-label], [title], [placeholder]')) {
            found.push(e.ariaLabel || '', e.title || '', e.placeholder || '');
          }
          return found;
        }"""
    )
    data = set(_data())
    chinese = [text.strip() for text in texts if CJK.search(text)]
    assert [text for text in chinese if not any(part in text for part in data)] == []


def _data() -> list[str]:
    """Every Chinese string that the samples carry."""
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, str) and CJK.search(value):
            found.append(value)
        elif isinstance(value, dict):
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    from tests.browser import rendering, samples, setting_up_samples

    for given in (
        samples.ROWS,
        samples.EXAMS,
        samples.INBOX,
        rendering.ADMIN,
        rendering.FOUND,
        rendering.USERS,
        setting_up_samples.SETTING_UP,
        setting_up_samples.CONTRACTS,
    ):
        walk(given)
    return found


def test_the_built_scripts_use_nothing_that_chromium_86_lacks() -> None:
    """What pages load by themselves: newer methods of the language are type errors; these are the browser's own.

    The image station is fetched for a picture only, and where it cannot run the server's preview stays.
    """
    newer = ("structuredClone", ".randomUUID(", "AbortSignal.timeout", "Object.hasOwn", ".at(", "static{")
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    loaded = {key for key, chunk in manifest.items() if chunk.get("isEntry")}
    for _ in manifest:
        loaded |= {other for key in loaded for other in manifest[key].get("imports", ())}
    for key in loaded:
        script = STATIC / "app" / manifest[key]["file"]
        # A minified function may itself be called "at": `...at(x)` spreads what it gives.
        code = script.read_text(encoding="utf-8").replace("...", "... ")
        assert [name for name in newer if name in code] == [], script.name
    for sheet in ("base.css", "township.css"):
        css = (STATIC / "css" / sheet).read_text(encoding="utf-8")
        assert [
            n
            for n in (":has(", ":is(", ":where(", "inset:", "aspect-ratio", "color-mix", "@layer", "dvh")
            if n in css
        ] == []
