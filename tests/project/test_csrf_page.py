"""The page of a refused form names what is wrong: the proxy, another site, or the browser."""

import pytest
from django.test import Client

FORM = {"username": "maria", "password": "seven quiet otters"}

pytestmark = pytest.mark.django_db


def post(**headers):
    stranger = Client(enforce_csrf_checks=True)
    stranger.get("/sign-in/")
    token = stranger.cookies["csrftoken"].value
    return stranger.post("/sign-in/", FORM | {"csrfmiddlewaretoken": token}, **headers)


@pytest.mark.parametrize("origin", ["https://setup.example.com", "http://setup.example.com:8080", "null"])
def test_the_page_names_a_proxy_that_drops_the_host(origin):
    answer = post(headers={"Origin": origin})

    assert answer.status_code == 403
    assert "proxy must pass on <code>Host</code>" in answer.text
    assert "CSRF_TRUSTED_ORIGINS" in answer.text
    assert "cookie" not in answer.text.lower()


@pytest.mark.parametrize(
    "referer", ["https://setup.example.com/sign-in/", "http://testserver/sign-in/", "", "https://["]
)
def test_the_page_names_the_proxy_when_only_a_referer_was_sent(referer, settings):
    stranger = Client(enforce_csrf_checks=True)
    stranger.get("/sign-in/", secure=True)
    form = FORM | {"csrfmiddlewaretoken": stranger.cookies["csrftoken"].value}

    answer = stranger.post("/sign-in/", form, secure=True, headers={"Referer": referer} if referer else {})

    assert answer.status_code == 403
    assert "CSRF_TRUSTED_ORIGINS" in answer.text
    assert "cookie" not in answer.text.lower()


def test_the_page_names_a_form_of_another_site():
    answer = post(headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert "came from another site" in answer.text
    assert "cookie" not in answer.text.lower()


def test_the_page_names_a_missing_cookie():
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", FORM)

    assert answer.status_code == 403
    assert "your browser sent no cookie" in answer.text
    assert "CSRF_TRUSTED_ORIGINS" not in answer.text


def test_the_page_names_a_host_that_is_not_allowed():
    answer = Client().get("/sign-in/", headers={"Host": "setup.example.com"})

    assert answer.status_code == 400
    assert "ALLOWED_HOSTS" in answer.text
