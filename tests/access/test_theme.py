"""Light, dark or the system's setting: chosen in the account menu, on every page, without a flash."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from setup_wizard.access.roles import Role, assign


@pytest.fixture
def browser_of_rosa(db):
    rosa = User.objects.create_user("rosa")
    assign(rosa, Role.REVIEWER)
    browser = Client()
    browser.force_login(rosa)
    return browser


@pytest.mark.parametrize("page", ["/attempts/", "/admin/", "/nowhere/"])
@pytest.mark.parametrize(("theme", "scheme"), [("dark", "dark"), ("light", "light"), ("system", "light dark")])
def test_the_chosen_theme_is_in_the_page_itself(browser_of_rosa, page, theme, scheme):
    answer = browser_of_rosa.post("/theme/", {"theme": theme, "next": page})
    assert (answer.status_code, answer.headers["Location"]) == (302, page)

    text = browser_of_rosa.get(page).content.decode()

    assert f'<meta name="color-scheme" content="{scheme}">' in text
    assert f'value="{theme}" aria-pressed="true"' in text
    assert text.count('aria-pressed="true"') == 1


def test_the_sign_in_page_keeps_the_theme(browser_of_rosa):
    browser_of_rosa.post("/theme/", {"theme": "dark"})
    browser_of_rosa.post("/sign-out/")

    assert '<meta name="color-scheme" content="dark">' in browser_of_rosa.get("/sign-in/").content.decode()


def test_htmx_gets_only_the_color_scheme(browser_of_rosa):
    answer = browser_of_rosa.post("/theme/", {"theme": "dark"}, headers={"HX-Request": "true"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["HX-Trigger"] == '{"theme": {"name": "dark", "scheme": "dark"}}'


def test_the_theme_never_leads_to_another_site(browser_of_rosa):
    answer = browser_of_rosa.post("/theme/", {"theme": "dark", "next": "https://example.com/"})

    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("theme", ["", "blue", "system\nlight"])
def test_an_unknown_theme_is_refused(browser_of_rosa, theme):
    answer = browser_of_rosa.post("/theme/", {"theme": theme})

    assert answer.status_code == 400
    assert "theme" not in answer.cookies


def test_an_unknown_cookie_means_the_system(browser_of_rosa):
    browser_of_rosa.cookies["theme"] = '"><script>'

    assert '<meta name="color-scheme" content="light dark">' in browser_of_rosa.get("/attempts/").content.decode()
