import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def sign_in(browser, user_name, password, **more):
    return browser.post(reverse("access:sign-in"), {"username": user_name, "password": password}, **more)


def is_signed_in(browser):
    return "_auth_user_id" in browser.session


def test_signing_in_continues_to_the_requested_page(client, maria, password):
    asked = client.get(reverse("history:list"))

    answer = client.post(asked.url, {"username": "maria", "password": password, "next": reverse("history:list")})

    assert asked.url == "/sign-in/?next=/attempts/"
    assert (answer.status_code, answer.url) == (302, "/attempts/")
    assert is_signed_in(client)


@pytest.mark.parametrize("elsewhere", ["https://evil.example.com/", "//evil.example.com", "javascript:alert(1)"])
def test_signing_in_never_redirects_to_another_site(client, maria, password, elsewhere):
    answer = client.post(reverse("access:sign-in"), {"username": "maria", "password": password, "next": elsewhere})

    assert answer.url == reverse("home")


def test_a_wrong_password_is_reported_and_not_rendered(client, maria):
    answer = sign_in(client, "maria", "eight loud otters")

    assert answer.status_code == 422
    assert "Wrong user name or password" in answer.text
    assert 'value="maria"' in answer.text
    assert "eight loud otters" not in answer.text
    assert not is_signed_in(client)


def test_an_unknown_name_gets_the_error_of_a_wrong_password(client, maria):
    wrong_password = sign_in(client, "maria", "eight loud otters").context["form"].non_field_errors()

    wrong_name = sign_in(client, "nobody", "eight loud otters").context["form"].non_field_errors()

    assert wrong_name == wrong_password


def test_an_empty_field_is_named_and_linked(client):
    answer = sign_in(client, "", "")

    assert answer.status_code == 422
    assert '<a href="#id_username">Enter your user name</a>' in answer.text
    assert '<a href="#id_password">Enter your password</a>' in answer.text


def test_a_signed_in_user_skips_the_sign_in_page(browser_of_maria):
    answer = browser_of_maria.get(reverse("access:sign-in"))

    assert (answer.status_code, answer.url) == (302, reverse("home"))


def test_a_panel_of_an_expired_session_keeps_its_page(client):
    asked = {"HX-Request": "true", "HX-Current-URL": "http://testserver/attempts/?page=2"}

    answers = [client.get(reverse(name), headers=asked) for name in ("history:list", "access:sign-in")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert not any("HX-Redirect" in answer.headers or answer.content for answer in answers)


def test_signing_out_ends_the_session_and_clears_the_cache(browser_of_maria):
    answer = browser_of_maria.post(reverse("access:sign-out"))

    assert (answer.status_code, answer.url) == (302, reverse("access:sign-in"))
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_signed_in(browser_of_maria)
    assert "You are signed out." in browser_of_maria.get(answer.url).text


def test_following_a_link_signs_nobody_out(browser_of_maria):
    answer = browser_of_maria.get(reverse("access:sign-out"))

    assert answer.status_code == 405
    assert is_signed_in(browser_of_maria)


def test_a_page_of_another_site_signs_nobody_out(maria):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(maria)

    answer = browser.post(reverse("access:sign-out"))

    assert answer.status_code == 403
    assert "That page was out of date" in answer.text
    assert is_signed_in(browser)
