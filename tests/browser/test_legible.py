"""WCAG 2.2 AA where a browser can measure it: contrast of every text (1.4.3), a name for every control (4.1.2)."""

import pytest

from tests.browser import critical_values
from tests.browser.conftest import OpenPage
from tests.browser.stub import Stub

pytestmark = pytest.mark.browser

# Of every element that holds text: its colour over the first opaque background behind it. What is disabled is exempt,
# as are curves and pictures. A name is what the browser itself computes for a control.
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


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/reading", ".rows .row"),
        ("/reading/cases/case-1?view=waiting", ".critical-card .clock"),
        ("/reading/cases/case-2?view=waiting", ".report-actions .primary"),
        ("/township", ".critical-card .clock"),
        ("/inbox", ".critical-card .clock"),
        ("/corrections", "h1"),
        ("/admin", "#models"),
        ("/admin/critical", "#ladder"),
        ("/sign-in", "form"),
    ],
)
def test_every_text_can_be_read_and_every_control_has_a_name(
    open_page: OpenPage, stub: Stub, path: str, shown: str
) -> None:
    # With a red card where cards stand.
    stub.state.critical.append(critical_values.value(stub.state.cases["case-1"]))
    page = open_page(path)
    page.locator(shown).first.wait_for()
    if path.startswith("/reading/cases"):
        page.keyboard.press("?")
        page.locator(".keys-panel").wait_for()
    assert page.evaluate(FAULTS) == []


def test_the_measure_itself_finds_a_pale_text_and_a_button_without_a_name(
    open_page: OpenPage, stub: Stub
) -> None:
    page = open_page("/sign-in")
    page.evaluate(
        """() => {
            document.querySelector("h1").style.color = "rgb(210 210 210)";
            document.querySelector("form").append(document.createElement("button"));
        }"""
    )
    found = page.evaluate(FAULTS)
    assert len(found) == 2
    assert found[1].startswith("no name: <button>")
