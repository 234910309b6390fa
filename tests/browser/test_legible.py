"""WCAG 2.2 AA where a browser can measure it, on every page in both languages.

axe-core, of whose rules nothing serious or critical may fail, and a measure of our own where axe leaves open what it
sees: the contrast of every text over whatever lies behind it (1.4.3), and a name for every control (4.1.2).
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from telemed.i18n import languages
from tests.browser import critical_values
from tests.browser.axe import AXE, demand_axe, violations
from tests.browser.conftest import OpenPage
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser

# Of every element that holds text: its colour over the first opaque background behind it. What is disabled is exempt,
# as are curves and pictures. A name is what the browser itself computes for a control.
# What is opened may take the focus, a moment later: keys are keys again behind that.
OPEN_ALL = """async () => {
    document.querySelectorAll('#main details').forEach(one => { one.open = true })
    await new Promise(done => setTimeout(done, 50))
    document.activeElement?.blur()
}"""
FAULTS = """() => {
    const parse = text => {
        const found = text.match(/[\\d.]+/g).map(Number);
        const scale = text.startsWith("color(") ? 255 : 1;
        return [found[0] * scale, found[1] * scale, found[2] * scale, found[3] ?? 1];
    };
    const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
    const light = ([r, g, b]) => {
        const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const [x, y, z] = [r, g, b].map(v => linear(v / 255));
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const behind = element => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) {
            const color = parse(getComputedStyle(at).backgroundColor);
            layers.push(color);
            if (color[3] === 1) break;
        }
        return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
    };
    const faults = [];
    for (const element of document.body.querySelectorAll("*")) {
        const texts = [...element.childNodes].filter(n => n.nodeType === Node.TEXT_NODE && n.data.trim());
        if (!texts.length || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        if (element.closest("svg, canvas, script, option, :disabled, [aria-disabled=true], noscript")) continue;
        const style = getComputedStyle(element);
        const ground = behind(element);
        const [a, b] = [light(over(parse(style.color), ground)), light(ground)];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
        const least = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
        const what = `${element.className || element.tagName}: ${texts[0].data.trim()}`;
        if (ratio < least) faults.push(`${ratio.toFixed(2)} ${what}`);
    }
    for (const control of document.querySelectorAll("button, input:not([type=hidden]), select, textarea, a[href]")) {
        if (!control.checkVisibility()) continue;
        const named = control.ariaLabel || control.title || control.textContent.trim() || control.labels?.length
            || control.getAttribute("aria-labelledby") || control.querySelector("img[alt]");
        if (!named) faults.push(`no name: ${control.outerHTML.slice(0, 120)}`);
    }
    return [...new Set(faults)];
}"""


# What is to stand there before anything is judged, and how wide the screen is.
PAGES = {
    "/sign-in": ("form", 1280),
    "/reading": (".rows .row", 1920),
    "/reading/cases/case-1?view=waiting": (".critical-card .clock", 1920),
    "/reading/cases/case-2?view=waiting": (".report-actions .primary", 1920),
    "/township": (".critical-card .clock", 1920),
    "/inbox": (".critical-card .clock", 360),
    "/account": ("form.own-password", 360),
    "/admin": ("#models", 1280),
    "/admin/nodes": ("h1", 1280),
    "/admin/critical": ("#ladder", 1280),
    "/admin/reading": ("h1", 1280),
    "/admin/contracts": ("h1", 1280),
    "/verify/K7Q2-9MXP": ("h1", 360),
    "/error": ("h1", 360),
}


@pytest.fixture
def judged(open_page: OpenPage) -> Page:
    """A page into which axe comes with every document; the pages' own policy lets no foreign script in."""
    demand_axe()
    page = open_page("/sign-in")
    page.add_init_script(path=AXE)
    return page


@pytest.mark.parametrize("language", languages)
def test_every_page_can_be_read_and_worked_by_everybody(judged: Page, stub: Stub, language: str) -> None:
    stub.state.language = language
    # With a red card where cards stand.
    stub.state.critical.append(critical_values.value(stub.state.cases["case-1"]))
    found = []
    for path, (shown, width) in PAGES.items():
        judged.set_viewport_size({"width": width, "height": 1080})
        judged.goto(stub.url + path)
        judged.locator(shown).first.wait_for()
        # With all that a page opens over and below itself: every form, the keys, the palette.
        judged.evaluate(OPEN_ALL)
        if judged.locator("#told").count():
            judged.keyboard.press("?")
            judged.locator(".keys-panel").wait_for()
            judged.keyboard.press("Control+k")
            expect(judged.locator(".palette input")).to_be_focused()
        # Colours are the same in every language, and the dearest to judge.
        axe = violations(judged, colours=language == languages[0])
        found += [f"{path} {one}" for one in (*axe, *judged.evaluate(FAULTS))]
    assert not found, "\n".join(found)


def test_the_measures_find_a_pale_text_and_a_button_without_a_name(judged: Page) -> None:
    judged.reload()
    judged.evaluate(
        """() => {
            document.querySelector("h1").style.color = "rgb(210 210 210)";
            document.querySelector("form").append(document.createElement("button"));
        }"""
    )
    found = judged.evaluate(FAULTS)
    assert len(found) == 2
    assert found[1].startswith("no name: <button>")
    assert [one.split(":")[0] for one in violations(judged)] == [
        "critical button-name",
        "serious color-contrast",
    ]
