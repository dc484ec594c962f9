"""The page of a refused form names what is wrong: the proxy, another site, or the browser."""

import pytest
from django.test import Client

FORM = {"username": "maria", "password": "seven quiet otters"}

pytestmark = pytest.mark.django_db


PROXY = ("proxy must pass on <code>Host</code>", "CSRF_TRUSTED_ORIGINS")


@pytest.mark.parametrize(
    ("scheme", "headers", "said"),
    [
        *(
            ("http", {"Origin": origin}, PROXY)
            for origin in ("https://setup.example.com", "http://setup.example.com:8080", "null")
        ),
        *(
            ("https", {"Referer": referer}, PROXY[1:])
            for referer in ("https://setup.example.com/sign-in/", "http://testserver/sign-in/", "https://[")
        ),
        ("https", {}, PROXY[1:]),
        ("http", {"Sec-Fetch-Site": "cross-site"}, ("came from another site",)),
    ],
)
def test_the_page_names_the_proxy_or_another_site(scheme, headers, said):
    stranger = Client(enforce_csrf_checks=True)
    stranger.get("/sign-in/", secure=scheme == "https")
    form = FORM | {"csrfmiddlewaretoken": stranger.cookies["csrftoken"].value}

    answer = stranger.post("/sign-in/", form, secure=scheme == "https", headers=headers)

    assert answer.status_code == 403
    assert all(words in answer.text for words in said)
    assert "cookie" not in answer.text.lower()


def test_the_page_names_a_missing_cookie():
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", FORM)

    assert answer.status_code == 403
    assert "your browser did not send a cookie" in answer.text
    assert "CSRF_TRUSTED_ORIGINS" not in answer.text


def test_the_page_names_a_host_that_is_not_allowed():
    answer = Client().get("/sign-in/", headers={"Host": "setup.example.com"})

    assert answer.status_code == 400
    assert "ALLOWED_HOSTS" in answer.text
