"""A request in JSON becomes a draft, and leaves the pages as text for scripts."""

import html
import json
import re

import pytest
from django.contrib.auth.models import User
from hypothesis import example, given

from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.renderings import render_request, with_placeholders
from setup_wizard.bootstrap.request import parse_request
from setup_wizard.wizard.importing import NotImportable, read_draft
from setup_wizard.wizard.models import Draft
from setup_wizard.wizard.request_mapping import build_request
from tests.bootstrap.samples import CERTIFICATE, DOCUMENTED_CREATE, DOCUMENTED_JOIN, EVERYTHING, KEY
from tests.bootstrap.strategies import documents
from tests.client_certificates import Authority

from .conftest import PASSWORD, readable

WITH_PASSWORD = {**DOCUMENTED_CREATE, "credentials": {"username": "admin@example.com", "password": PASSWORD}}


def drafted(document):
    return read_draft(json.dumps(document), by=User())[0]


def exported(request):
    complete = with_placeholders(request, {"username": "admin@example.com"})
    return render_request(complete, address="10.0.0.5:9443", fingerprint=":".join(["AB"] * 32))[0].text


def post(browser, text, **options):
    data = {"request_with_credentials": text if isinstance(text, str) else json.dumps(text)}
    return browser.client.post("/setup/import/", data, **options)


def imported(browser, document):
    return browser.open(post(browser, document)["Location"])


@given(document=documents())
@example(document={key: value for key, value in EVERYTHING.items() if key != "credentials"})
@example(document={"action": "join_cluster", "cluster": {"nodes": ["10.0.0.2"]}, "cnm_https_port": 9443})
def test_an_exported_request_imports_without_a_loss(document):
    request = parse_request(document, credentials_required=False)

    draft, _ = read_draft(exported(request), by=User())

    assert draft.data["import"] == {"errors": {}, "notes": []}
    expected = parse_request(request.redacted(), credentials_required=False)
    assert build_request(draft) == expected
    assert exported(build_request(draft)) == exported(expected)


@pytest.mark.parametrize("document", [DOCUMENTED_CREATE, DOCUMENTED_JOIN], ids=["create", "join"])
def test_documented_examples_import_without_a_loss(document):
    draft, credentials = read_draft(json.dumps(document), by=User())

    sent = parse_request(document)
    assert build_request(draft).with_credentials(credentials) == sent


def test_placeholders_count_as_not_entered():
    hidden = {"username": "***", "password": "********"}
    draft, credentials = read_draft(
        json.dumps({**DOCUMENTED_CREATE, "license": "*****", "credentials": hidden}), by=User()
    )

    assert draft.data["create"] == {"name": "my.cluster"}
    assert "license" not in draft.data.get("request", {})
    assert credentials is None or not credentials.username


def test_only_the_names_of_unknown_keys_are_kept():
    node = {"paths": {"persistent_path": "/data", "temporary": "kept-nowhere"}}
    suffixes = [{"name": "internal.example.com", "colour": "kept-nowhere"}]
    draft = drafted({**DOCUMENTED_CREATE, "node": node, "dns_suffixes": suffixes, "clobber": {"a": "kept-nowhere"}})

    [note] = draft.data["import"]["notes"]
    assert note.endswith("node.paths.temporary, dns_suffixes.0.colour, clobber.")
    assert "kept-nowhere" not in json.dumps(draft.data)
    assert build_request(draft).dns_suffixes[0].name == "internal.example.com"
    assert build_request(draft).node.paths.persistent_path == "/data"


def test_the_body_of_a_start_imports_its_address():
    draft = drafted({"address": "10.0.0.5:9443", "fingerprint": "AB", "bootstrap": DOCUMENTED_CREATE})

    assert draft.address == "10.0.0.5:9443"
    assert draft.data["import"]["notes"] == ["Not imported, unknown keys: fingerprint."]


def test_a_client_certificate_of_a_create_is_named_as_missing():
    draft = drafted({**DOCUMENTED_CREATE, "credentials": {"client_cert": CERTIFICATE, "client_key": KEY}})

    assert [note.partition(". ")[0] for note in draft.data["import"]["notes"]] == [
        "Not imported: credentials.client_cert",
        "Not imported: credentials.client_key",
    ]
    assert "MIIE" not in json.dumps(draft.data)


def test_a_client_certificate_of_a_join_is_sealed(maria):
    anna, trusted = Authority().issue("anna@example.com"), Authority().pem

    imported(maria, {**DOCUMENTED_JOIN, "credentials": {**anna.credentials, "trusted_ca": trusted}})

    draft = Draft.objects.get()
    assert draft.data["join"]["sign_in_by"] == "certificate"
    assert draft.data["import"]["notes"] == []
    assert vault.open_for(draft.pk).client_key.reveal() == anna.key.strip()
    kept = json.dumps(draft.data)
    secret = set((anna.pem + anna.key).splitlines()) - set(trusted.splitlines())  # both name the same authority
    assert not [line for line in secret if line in kept]


def test_a_client_certificate_that_cannot_sign_in_is_refused_at_its_field():
    wrong = {"client_cert": CERTIFICATE, "client_key": KEY}

    draft, credentials = read_draft(json.dumps({**DOCUMENTED_JOIN, "credentials": wrong}), by=User())

    assert set(draft.data["import"]["errors"]) == {"credentials.client_cert", "credentials.client_key"}
    assert credentials is None
    assert "MIIE" not in json.dumps(draft.data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "This cannot be read: not JSON at line 1, column 1"),
        ('{"action": "create_cluster"\n "license": "otters"}', "at line 2, column 2: Expecting ',' delimiter"),
        ("[]", "Paste one JSON object"),
        ('{"license": "otters", "license": "otters"}', "More than once in one object: license."),
        ("[" * 30 + "]" * 30, "JSON nested deeper than 20"),
        ('{"a": NaN}', "JSON with an invalid number"),
        ("\ud800", "not JSON"),
    ],
)
def test_a_text_that_is_no_object_says_where(text, message):
    with pytest.raises(NotImportable) as refused:
        read_draft(text, by=User())

    assert message in refused.value.message
    assert "otters" not in refused.value.message


@pytest.mark.parametrize("value", [5, True, {}, [], [5], "\0", "x" * 9000, "\ud800", None, {"a": [1]}], ids=repr)
def test_any_value_of_any_field_becomes_a_draft(value):
    for name in EVERYTHING:
        draft = drafted({**EVERYTHING, name: value})
        json.dumps(draft.data).encode()
        assert draft.action in {"create_cluster", "join_cluster", "recover_cluster"}


@pytest.mark.django_db
def test_every_value_lands_in_its_step(maria, fresh_node):
    paths = {"persistent_path": "/mnt/data", "ephemeral_path": "/mnt/tmp"}
    node = {"paths": paths, "identity": {"addr": "10.9.9.9", "rack_id": "rack-a"}}
    imported(maria, {**WITH_PASSWORD, "node": node, "max_retries": 3, "required_version": "8.0.2"})

    maria.fill(address=fresh_node.address)
    maria.fill(address=fresh_node.address, fingerprints_match="on")
    assert maria.url.endswith("/node/")
    assert maria.fields["persistent_path"] == "/mnt/data"
    assert (maria.fields["addr"], maria.fields["other_addr"]) == ("other", "10.9.9.9")
    assert maria.fields["rack_id"] == "rack-a"
    maria.fill()
    assert maria.fields["name"] == "my.cluster"
    assert maria.fields["username"] == "admin@example.com"
    maria.fill()
    assert maria.url.endswith("/review/")
    assert "Retries 3 Change" in maria.text
    assert "required_version 8.0.2" in maria.text


@pytest.mark.django_db
def test_the_password_is_sealed_and_nowhere_else(maria):
    page = imported(maria, WITH_PASSWORD)

    draft = Draft.objects.get()
    assert vault.open_for(draft.pk).password.reveal() == PASSWORD
    assert PASSWORD not in json.dumps(draft.data) + page.text


@pytest.mark.django_db
def test_an_invalid_value_gets_its_message_beside_its_field(maria, fresh_node):
    node = {"paths": {"persistent_path": "data"}, "identity": {"rack_id": 7, "external_addr": ["10.0.0.300"]}}
    imported(maria, {**WITH_PASSWORD, "node": node, "cnm_https_port": "often"})
    assert "Not imported: cnm_https_port. This must be a whole number from 1 to 65535." in maria.text

    maria.fill(address=fresh_node.address)
    page = maria.fill(address=fresh_node.address, fingerprints_match="on").content.decode()

    assert maria.fields["persistent_path"] == "data"
    assert maria.fields["rack_id"] == "7"
    assert maria.fields["external_addr"] == "10.0.0.300"
    message = re.search(r'<div id="id_persistent_path_message".*?</div>', page, re.DOTALL)[0]
    assert "does not start with /" in readable(message)
    maria.fill(persistent_path="/mnt/data", rack_id="rack-a", external_addr="10.0.0.3")
    assert maria.url.endswith("/cluster/")
    maria.fill()
    assert "Not imported: cnm_https_port" in maria.text


@pytest.mark.django_db
def test_a_refused_text_is_not_shown_again(maria):
    whole = post(maria, '{"credentials": {"password": "blue otters"')
    part = post(maria, '{"credentials": {"password": "blue otters"', headers={"HX-Request": "true"})

    for page in (whole, part):
        assert page.status_code == 422
        assert "This cannot be read" in readable(page.text)
        assert "otters" not in page.text
    assert "<html" in whole.text
    assert "<html" not in part.text
    assert Draft.objects.count() == 0


@pytest.mark.django_db
def test_htmx_opens_the_first_step_as_a_whole_page(maria):
    answer = post(maria, DOCUMENTED_JOIN, headers={"HX-Request": "true"})

    assert answer["HX-Redirect"] == f"/setup/{Draft.objects.get().pk}/action/"


@pytest.mark.django_db
def test_two_imports_make_two_drafts(maria):
    imported(maria, DOCUMENTED_CREATE)
    imported(maria, DOCUMENTED_CREATE)

    assert Draft.objects.count() == 2


def export_on(page):
    found = re.findall(r'<details id="export-(\w+)">.*?<pre[^>]*><code>(.*?)</code>', page.text, re.DOTALL)
    return {name: html.unescape(text) for name, text in found}


@pytest.mark.django_db
def test_review_and_attempt_export_the_same_request(maria, fresh_node):
    review = export_on(maria.to_review(fresh_node))
    maria.start()
    attempt = Attempt.objects.get()

    page = export_on(maria.client.get(f"/attempts/{attempt.pk}/"))

    assert review.keys() == {"json", "curl", "rladmin", "ansible"}
    assert json.loads(review["json"]) == attempt.request
    assert page == review
    assert attempt.fingerprint in page["curl"]
    assert all(PASSWORD not in text for text in page.values())
    again, _ = read_draft(page["json"], by=User())
    assert exported(build_request(again)) == page["json"]
