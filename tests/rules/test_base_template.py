"""The base template's own variables: one with the name of a page's variable would take its place on that page."""

import re
from pathlib import Path

TEMPLATES = Path("templates")
BASE = TEMPLATES / "base.html"


def test_base_template_sets_no_variable_that_a_page_uses():
    names = re.findall(r"\bas (\w+) %}", BASE.read_text())
    pages = {place: place.read_text() for place in TEMPLATES.rglob("*.html") if place != BASE}
    used = [(name, str(place)) for name in names for place, text in pages.items() if re.search(rf"\b{name}\b", text)]

    assert names
    assert used == []
