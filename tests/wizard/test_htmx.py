"""What JavaScript adds: probes and field checks while typing, no full reloads."""

import re

import pytest

from .conftest import PASSWORD, readable

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def check(maria, step, field, value, **more):
    url = f"/setup/{maria.draft.pk}/{step}/check/{field}/"
    return maria.client.post(url, {field: value, **more}, headers=HTMX)


def probe(maria, **fields):
    return maria.client.post("/setup/new/probe/", fields, headers=HTMX)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "redis", "redis has no domain."),
        ("name", "redis.local", "multicast DNS"),
        ("username", "a&b", "A user name cannot have"),
        ("username", "admin", "admin is not an e-mail address."),
        ("password", "short", "This password would be stronger with"),
        ("license", "abc", "LICENSE START"),
    ],
)
def test_a_field_is_checked_on_leaving_it(maria, fresh_node, field, value, said):
    maria.to_cluster(fresh_node)

    answer = check(maria, "cluster", field, value)

    assert answer.status_code == 200
    assert said in readable(answer.content.decode())
    assert "<html" not in answer.content.decode()


def test_a_password_gets_its_strength_and_no_echo(maria, fresh_node):
    maria.to_cluster(fresh_node)

    strong, weak = (check(maria, "cluster", "password", value).content.decode() for value in (PASSWORD, "short-one"))

    assert readable(strong).strip() == "Strength: strong."
    assert "Strength: fair." in readable(weak)
    assert "short-one" not in weak
    assert PASSWORD not in strong


def test_an_empty_field_gets_no_error_on_leaving_it(maria, fresh_node):
    maria.to_cluster(fresh_node)

    assert readable(check(maria, "cluster", "name", "").content.decode()).strip() == ""


def test_a_check_saves_nothing(maria, fresh_node):
    maria.to_cluster(fresh_node)
    before = maria.draft.version

    check(maria, "cluster", "name", "redis-prod.example.com")

    assert maria.draft.version == before
    assert "create" not in maria.draft.data


def test_a_check_is_never_a_get(maria, fresh_node):
    maria.begin(fresh_node.address)

    assert maria.client.get("/setup/new/check/address/").status_code == 405


def test_checking_an_unknown_field_is_a_404(maria, fresh_node):
    maria.add_incomplete_draft(fresh_node.address)

    assert check(maria, "action", "colour", "red").status_code == 404
    assert maria.client.post("/setup/new/check/colour/", {"colour": "red"}, headers=HTMX).status_code == 404
    assert check(maria, "nowhere", "address", "10.0.0.5").status_code == 404


def test_the_password_is_sent_with_its_own_check_only(maria, fresh_node):
    maria.to_cluster(fresh_node)

    page = maria.page.content.decode()

    assert 'hx-params="name"' in page
    assert 'hx-params="username"' in page
    assert 'hx-params="password"' in page


def test_entering_an_address_probes_the_node(maria, fresh_node):
    maria.begin("")

    answer = probe(maria, address=fresh_node.address, action="create_cluster")

    text = readable(answer.content.decode())
    assert answer.status_code == 200
    assert "Ready to set up" in text
    assert "Trust the new certificate" in text
    assert "<html" not in answer.content.decode()


def test_a_join_does_not_ask_to_trust_a_new_certificate(maria, fresh_node):
    maria.begin("")

    answer = probe(maria, address=fresh_node.address, action="join_cluster")

    assert "Trust the new certificate" not in readable(answer.content.decode())


def test_a_new_probe_keeps_the_checkboxes(maria, fresh_node):
    maria.begin(fresh_node.address)
    maria.fill(action="create_cluster")

    answer = probe(maria, **maria.fields | {"fingerprints_match": "on", "accept_new_certificate": "on"})

    assert answer.content.decode().count(" checked") == 2


def test_an_address_without_answer_is_explained(maria):
    maria.begin("")

    answer = probe(maria, address="127.0.0.1:1")

    assert "Cannot connect to 127.0.0.1:1" in readable(answer.content.decode())


def test_a_page_with_a_known_address_probes_on_load(maria, fresh_node):
    maria.begin(fresh_node.address)
    page = maria.page.content.decode()
    assert 'hx-trigger="load"' in page

    maria.begin("")

    assert 'hx-trigger="load"' not in maria.page.content.decode()


def test_a_rejected_form_adds_no_history_entry(maria, fresh_node):
    maria.to_cluster(fresh_node)

    page = maria.client.post(maria.url, maria.fields, headers=HTMX)

    assert page.status_code == 422
    assert page["HX-Push-Url"] == "false"
    assert 'id="main"' in page.content.decode()


def test_every_htmx_form_works_without_htmx_too(maria, fresh_node):
    maria.to_cluster(fresh_node)

    for form in re.findall(r"<form[^>]*hx-post[^>]*>", maria.page.content.decode()):
        assert re.search(r'\saction="([^"]+)"', form)[1] == re.search(r'hx-post="([^"]+)"', form)[1]
