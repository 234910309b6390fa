"""Forms that a script sends stay where they are until the script is there."""

import re
from pathlib import Path

import telemed.web

FORM = re.compile(r"<form\b[^>]*\bdata-api=[^>]*>")


def test_a_form_that_a_script_sends_never_carries_its_fields_into_an_address() -> None:
    """On a slow line somebody presses the button before the script has come: a password would stand in the URL."""
    folder = Path(telemed.web.__file__).parent / "templates"
    forms = [form for page in folder.glob("*.html") for form in FORM.findall(page.read_text("utf-8"))]
    assert len(forms) > 20
    # Outside a dialog the browser does nothing for that method (HTML, form submission).
    assert [form for form in forms if 'method="dialog"' not in form] == []
