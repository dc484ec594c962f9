"""The generated pages match the code, and leave nothing out."""

import pytest

from docs.generate import CHECKOUT, PAGES, read_settings
from setup_wizard.bootstrap.error_catalogue import ErrorCode


@pytest.mark.parametrize("name", PAGES)
def test_the_generated_page_is_up_to_date(name):
    written = (CHECKOUT / "docs" / name).read_text()

    assert written == PAGES[name](), f"docs/{name} is stale: run `make docs` and commit the result"


@pytest.mark.parametrize("code", list(ErrorCode))
def test_the_error_code_has_its_own_section(code):
    page = (CHECKOUT / "docs" / "error-codes.md").read_text()

    assert f"\n## {code}\n" in page
    assert f"| [`{code}`](#{code}) |" in page


def test_every_setting_has_a_section_and_a_meaning():
    settings = list(read_settings())

    assert len(settings) > 25
    assert [setting.name for setting in settings if not (setting.section and setting.meaning)] == []


def test_a_computed_default_is_shown_as_a_path():
    defaults = {setting.name: setting.default for setting in read_settings()}

    assert defaults["DATABASE_URL"] == "sqlite:///var/setup-wizard.sqlite3"
