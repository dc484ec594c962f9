"""The password of a new cluster's administrator: typed twice, or made up."""

import html
import re

import pytest

from setup_wizard.attempts import vault
from setup_wizard.bootstrap.rules.warnings import warn_password
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.wizard.passwords import ALPHABET, describe_difference, generate_password

from .conftest import PASSWORD
from .test_password import everything_stored

pytestmark = pytest.mark.django_db


def inputs(page):
    """The attributes of each password field, shown or not."""
    tags = re.findall(r'<input type="(\w+)" name="(password\w*)"([^>]*)>', page.content.decode())
    return {name: (kind, dict(re.findall(r'(\w+)="([^"]*)"', rest))) for kind, name, rest in tags}


@pytest.mark.parametrize(
    ("again", "message"),
    [
        ("", "Repeat the password here."),
        ("correct-horse-7-battery", "The two passwords differ in upper and lower case."),
        (f"{PASSWORD} ", "The two passwords differ in spaces at the beginning or the end."),
        ("Correct-horse-7", "the first has 23 characters, this one has 15."),
        ("Correct-house-7-battery", "The two passwords differ from character 11 on."),
    ],
)
def test_two_different_passwords_say_how_they_differ(maria, fresh_node, caplog, again, message):
    page = maria.to_review(fresh_node, password_again=again)

    assert page.status_code == 422
    assert message in maria.text
    assert 'href="#id_password_again"' in page.content.decode()
    assert vault.expires_at(maria.draft.pk) is None
    assert PASSWORD not in page.content.decode() + caplog.text


def test_a_repetition_without_a_password_is_refused(maria, fresh_node):
    maria.to_review(fresh_node)
    maria.open(f"/setup/{maria.draft.pk}/cluster/")

    maria.fill(password="", password_again="Another-one-8")

    assert "Enter the password in the field above too." in maria.text
    assert vault.open_for(maria.draft.pk).password.reveal() == PASSWORD


def test_equal_passwords_do_not_differ():
    assert describe_difference(Secret(PASSWORD), Secret(PASSWORD)) == ""


def test_a_create_asks_for_a_new_password_and_a_join_for_the_current_one(maria, fresh_node, second_node):
    create = inputs(maria.to_cluster(fresh_node))
    join = inputs(maria.to_cluster(second_node, "join_cluster"))

    assert {name: field["autocomplete"] for name, (_, field) in create.items()} == {
        "password": "new-password",
        "password_again": "new-password",
    }
    assert {name: field["autocomplete"] for name, (_, field) in join.items()} == {"password": "current-password"}


def test_generate_without_a_script_shows_the_password_once(maria, fresh_node, caplog):
    maria.to_cluster(fresh_node)
    version = maria.draft.version

    page = maria.fill(name="redis-prod.example.com", username="admin@example.com", license="typed", generate="password")

    assert page.status_code == 200
    shown = inputs(page)
    assert {kind for kind, _ in shown.values()} == {"text"}
    [password] = {html.unescape(field["value"]) for _, field in shown.values()}
    assert maria.fields["name"] == "redis-prod.example.com"
    assert maria.fields["license"] == "typed"
    assert maria.draft.version == version
    assert vault.expires_at(maria.draft.pk) is None
    assert password not in everything_stored() + caplog.text
    assert page["Cache-Control"] == "no-store"

    maria.fill(license="", password=password)
    assert maria.url.endswith("/review/")
    assert vault.open_for(maria.draft.pk).password.reveal() == password
    assert password not in maria.open(f"/setup/{maria.draft.pk}/cluster/").content.decode()


def test_generate_on_a_stale_page_stays_stale(maria, fresh_node):
    maria.to_review(fresh_node)
    maria.open(f"/setup/{maria.draft.pk}/cluster/")
    url, tab = maria.url, maria.fields
    maria.fill(name="redis-test.example.com")

    maria.page = maria.client.post(url, tab | {"generate": "password"}, follow=True)
    page = maria.client.post(url, maria.fields)

    assert page.status_code == 422
    assert "Changed in another tab" in page.content.decode()


def test_only_a_create_generates(maria, fresh_node):
    maria.to_cluster(fresh_node, "join_cluster")

    assert "Generate" not in maria.text
    assert maria.client.post(maria.url, maria.fields | {"generate": "password"}).status_code == 404


def test_generated_passwords_are_long_and_all_different():
    passwords = {generate_password().reveal() for _ in range(200)}

    assert len(passwords) == 200
    for password in passwords:
        assert re.fullmatch(rf"([{ALPHABET}]{{5}}-){{3}}[{ALPHABET}]{{5}}", password)
        assert warn_password(password) == []


def test_enter_presses_next_and_not_generate(maria, fresh_node):
    page = maria.to_cluster(fresh_node).content.decode()

    form = re.search(r"<form[^>]* novalidate.*?</form>", page, re.DOTALL)[0]
    first = re.search(r"<button[^>]*>(.*?)<", form)

    assert first[0].startswith('<button type="submit" hidden>')
