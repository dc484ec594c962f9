"""Screen readers find the description of every field: each aria-describedby target exists once."""

import re

import pytest

PAGES = ["/sign-in/", "/first-administrator/", "/password/"]
SHORT = {"new_password1": "12345678", "new_password2": "12345678"}


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("sent", [None, {}, {"password1": "12345678", "password2": "12345678"} | SHORT])
def test_each_aria_describedby_target_exists_once(path, sent, client, browser_of_maria):
    browser = browser_of_maria if path == "/password/" else client

    page = (browser.get(path) if sent is None else browser.post(path, sent)).text

    named = re.findall(r'<input[^>]* aria-describedby="([^"]*)"', page)
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert {each for names in named for each in names.split()} <= set(ids)
    assert bool(named) == (sent is not None or path != "/sign-in/")
