"""No input is lost when a session ends while a form is open."""

import html
import re
import secrets

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from setup_wizard.access.audit import AuditEvent
from setup_wizard.attempts.models import Attempt

from .conftest import PASSWORD, readable

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SIGN_IN = "seven quiet otters"


@pytest.fixture
def maria(maria):
    maria.user.set_password(SIGN_IN)
    maria.user.save()
    maria.client.force_login(maria.user)
    return maria


def hidden(page):
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode())
    return {name: html.unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def sign_in(maria, page, password=SIGN_IN):
    """Fill in the form that came in place of the answer; gives the page after it."""
    return maria.client.post("/sign-in/", {**hidden(page), "username": "maria", "password": password})


def poll_again(maria, page):
    """Press the button of the page that has kept the input."""
    action = re.search(r'<form method="post" action="([^"]+)" id="interrupted-form"', page.content.decode())[1]
    maria.page = maria.client.post(html.unescape(action), hidden(page), follow=True)
    return maria.page


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("cluster/check/name/", {"name": "redis-prod.example.com"}),
        ("action/probe/", {"address": "10.0.0.5"}),
        ("cluster/", {"name": "redis-prod.example.com", "password": PASSWORD}),
    ],
)
def test_a_background_request_never_redirects_the_page(maria, fresh_node, path, fields):
    maria.to_cluster(fresh_node)
    Session.objects.all().delete()

    answer = maria.client.post(f"/setup/{maria.draft.pk}/{path}", fields, headers=HTMX)

    assert answer.status_code == 401
    assert not {"Location", "HX-Redirect", "HX-Location", "HX-Refresh"} & set(answer.headers)
    assert PASSWORD not in answer.text


def test_a_step_sent_after_the_session_keeps_its_values(maria, fresh_node):
    maria.to_cluster(fresh_node)
    url = maria.url
    values = maria.fields | {"name": "redis-prod.example.com", "username": "admin@example.com", "password": PASSWORD}
    Session.objects.all().delete()

    page = maria.client.post(url, values)
    assert page.status_code == 401
    assert "Your session has expired" in readable(page.content.decode())
    assert PASSWORD not in page.text
    poll_again(maria, sign_in(maria, page))

    assert maria.page.status_code == 422
    assert maria.fields["name"] == "redis-prod.example.com"
    assert maria.fields["username"] == "admin@example.com"
    assert "Enter the administrator's password." in maria.text


def test_a_step_without_a_secret_is_saved_after_sign_in(maria, fresh_node):
    maria.approve(fresh_node)
    url, values = maria.url, maria.fields | {"external_addr": "10.0.0.5\n10.0.0.6", "rack_id": "rack-a"}
    Session.objects.all().delete()

    poll_again(maria, sign_in(maria, maria.client.post(url, values)))

    assert maria.url.endswith("/cluster/")
    assert maria.draft.data["node"]["external_addr"] == ["10.0.0.5", "10.0.0.6"]


def test_a_failed_sign_in_keeps_the_input(maria, fresh_node):
    maria.approve(fresh_node)
    url, values = maria.url, maria.fields | {"rack_id": "rack-a"}
    Session.objects.all().delete()

    again = sign_in(maria, maria.client.post(url, values), password="wrong")
    assert again.status_code == 422
    poll_again(maria, sign_in(maria, again))

    assert maria.draft.data["node"]["rack_id"] == "rack-a"


def test_a_start_sent_after_the_session_starts_after_sign_in(maria, fresh_node):
    maria.to_review(fresh_node)
    url, values = maria.url, maria.review_fields
    Session.objects.all().delete()

    after = sign_in(maria, maria.client.post(url, values))
    assert not Attempt.objects.exists()
    poll_again(maria, after)

    assert Attempt.objects.get().address == fresh_node.address


@pytest.mark.parametrize("name", ["password", "old_password", "new_password1", "token", "client_key", "Passphrase"])
def test_secrets_are_not_kept_across_the_sign_in(maria, name):
    Session.objects.all().delete()
    page = maria.client.post(reverse("access:password"), {name: "eight-loud-otters", "kept": "yes"})
    after = sign_in(maria, page)

    assert "eight-loud-otters" not in page.text + after.text
    assert hidden(after)["kept"] == "yes"


def test_a_sign_in_in_another_tab_keeps_the_input(maria, fresh_node):
    maria.approve(fresh_node)
    url, values = maria.url, maria.fields | {"rack_id": "rack-a"}
    Session.objects.all().delete()
    page = maria.client.post(url, values)
    maria.client.force_login(maria.user)

    poll_again(maria, sign_in(maria, page, password="whatever"))

    assert maria.draft.data["node"]["rack_id"] == "rack-a"


def test_input_from_another_site_is_not_kept(maria, fresh_node):
    page = Client().post(f"/setup/{maria.user.pk}/", {"x": "y"})
    forged = {**hidden(page), "interrupted_form": hidden(page).get("interrupted_form", "")[:-3] + "abc"}

    answer = maria.client.post("/sign-in/", {**forged, "username": "maria", "password": SIGN_IN})

    assert answer.status_code in {302, 404}


def test_too_much_input_leads_to_a_plain_sign_in(maria, fresh_node):
    maria.to_cluster(fresh_node)
    url = maria.url
    Session.objects.all().delete()

    page = maria.client.post(url, {"name": secrets.token_urlsafe(45_000)})

    assert page.status_code == 401
    assert "interrupted_form" not in hidden(page)


def test_a_kept_form_is_not_stored(maria, fresh_node):
    maria.approve(fresh_node)
    url, values = maria.url, maria.fields | {"rack_id": "rack-kept"}
    Session.objects.all().delete()

    sign_in(maria, maria.client.post(url, values))

    kept = [list(AuditEvent.objects.values()), [session.get_decoded() for session in Session.objects.all()]]
    assert "rack-kept" not in str(kept)
