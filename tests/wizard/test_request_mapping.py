"""A request becomes a draft, and the draft becomes the same request."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.request import parse_request
from setup_wizard.bootstrap.rules import check_address, check_member
from setup_wizard.wizard.fields import ListField
from setup_wizard.wizard.models import Draft
from setup_wizard.wizard.request_mapping import build_request, step_data
from setup_wizard.wizard.steps import NODE, find_field
from tests.attempts.attempt_rows import add_attempt
from tests.bootstrap.strategies import FIELDS, documents, fields_of

from .conftest import PASSWORD, trust_node

CREATE = {"action": "create_cluster", "cluster": {"name": "redis-prod.example.com"}}
JOIN = {"action": "join_cluster", "cluster": {"nodes": ["10.0.0.2"]}}
RECOVER = {"action": "recover_cluster", "recovery_filename": "ccs-redis.rdb"}
FLASH = [
    {"bigstore_enabled": True},
    {"bigstore_enabled": False, "paths": {"bigstore_path": "/mnt/flash"}},
    {"bigstore_driver": "speedb"},
    {"bigstore_driver": "speedb", "paths": {"bigstore_path": "/mnt/flash"}},
    {"bigstore_enabled": False, "bigstore_driver": "rocksdb", "paths": {"bigstore_path": "/mnt/flash"}},
    {"paths": {"bigstore_path": "/mnt/flash"}},
]


def probed(port, version):
    """Return a probe of a node on this port, as a draft stores it."""
    return {
        "address": f"10.0.0.7:{port}",
        "ip": "10.0.0.7",
        "certificate": {"fingerprint": "AB" * 32},
        "answer": {"bootstrap_status": {"state": "idle"}, "node": {"software_version": version}},
        "member": False,
    }


def drafted(request, **columns):
    draft = Draft(action=request.action, **columns)
    draft.data = step_data(draft, request.redacted())
    return draft


def test_examples_cover_every_field_of_a_request():
    assert set(FIELDS) == set(fields_of())


@given(document=documents(), port=st.sampled_from([9443, 9444]), version=st.sampled_from(["7.2.4-92", "7.22.0-216"]))
@example(document={**JOIN, "cnm_https_port": 9443}, port=9443, version="7.22.0-216")
@example(document=JOIN, port=9444, version="7.22.0-216")
@example(document={**CREATE, "node": {"identity": {"uid": 4}}}, port=9443, version="7.22.0-216")
@example(document={**RECOVER, "cluster": {"name": "docker-cluster", "nodes": ["10.0.0.2"]}}, port=9443, version="")
def test_a_draft_from_a_request_builds_the_same_request(document, port, version):
    request = parse_request(document, credentials_required=False)

    assert build_request(drafted(request)) == request
    assert build_request(drafted(request, probe=probed(port, version))) == request


@pytest.mark.parametrize("node", FLASH, ids=str)
@pytest.mark.parametrize("start", [CREATE, JOIN, RECOVER], ids=["create", "join", "recover"])
@pytest.mark.parametrize("version", ["7.2.4-92", "7.22.0-216"])
def test_flash_options_of_the_request_are_kept(start, node, version):
    request = parse_request({**start, "node": node}, credentials_required=False)

    assert build_request(drafted(request, probe=probed(9443, version))) == request


@pytest.mark.parametrize(
    ("rule", "typed", "kept"),
    [
        (check_address, "fd00::1\nFD00::1, fd00:0:0::1", ["fd00::1"]),
        (check_address, "::ffff:10.0.0.5 10.0.0.5", ["10.0.0.5"]),
        (check_member, "Redis-1.example.com\n10.0.0.5\nredis-1.example.com.", ["Redis-1.example.com", "10.0.0.5"]),
    ],
)
def test_a_page_keeps_two_spellings_of_one_address_once(rule, typed, kept):
    assert ListField(rule=rule).clean(typed) == kept


def test_a_part_without_a_field_leads_to_an_existing_one():
    create = drafted(parse_request({**CREATE, "node": {"identity": {"uid": 4}}}, credentials_required=False))

    assert find_field(create, "node.identity.uid") == (NODE, "addr")


@pytest.fixture
def failed(maria, fresh_node):
    """Add a failed attempt with this request, on a node with an approved certificate."""
    fingerprint = trust_node(fresh_node, by=maria.user)

    def make(request):
        return add_attempt(
            maria.user,
            fresh_node.address,
            action=request["action"],
            request=parse_request(request, credentials_required=False).redacted(),
            state=State.FAILED,
            fingerprint=fingerprint,
        )

    return make


def sent_again(attempt):
    request = Attempt.objects.exclude(pk=attempt.pk).get().request
    return {key: value for key, value in request.items() if key != "credentials"}


def flash_on_review(node):
    """The flash options as the page shows them, by their path when no field has them."""
    if node.get("bigstore_enabled") is True:
        yield "Use flash storage", "yes"
    if node.get("bigstore_enabled") is False:
        yield "node.bigstore_enabled", "false"
    if "bigstore_driver" in node:
        yield "Flash engine", "Speedb"


@pytest.mark.django_db
@pytest.mark.parametrize("node", [{**FLASH[0], "identity": {"addr": "127.0.0.1"}}, FLASH[1], FLASH[3]], ids=str)
def test_retry_sends_the_same_and_shows_every_value(maria, failed, node):
    identity = {"addr": "127.0.0.1", "uid": 4, "rack_id": "rack-a", "accept_servers": True}
    more = {"limits": {"max_listeners": 50}, "identity": identity}
    attempt = failed({**CREATE, "node": {**node, **more}, "policy": {"rack_aware": True}, "required_version": "8.0.2"})

    maria.open(maria.client.post(f"/setup/retry/{attempt.pk}/")["Location"])
    maria.fill(password=PASSWORD)
    review = maria.text
    maria.start()

    assert sent_again(attempt) == attempt.request
    assert "Also sent" in review
    for label, value in [
        *flash_on_review(node),
        ("Endpoint limit", "50"),
        ("Rack-aware cluster", "yes"),
        ("node.identity.uid", "4"),
        ("node.identity.accept_servers", "true"),
        ("required_version", "8.0.2"),
    ]:
        assert f"{label} {value}" in review


@pytest.mark.django_db
def test_saving_the_steps_keeps_extra_values(maria, failed):
    identity = {"addr": "127.0.0.1", "uid": 4, "accept_servers": True}
    node = {"bigstore_enabled": False, "bigstore_driver": "speedb", "identity": identity}
    paths = {"persistent_path": "/mnt/data", "ephemeral_path": "/mnt/tmp", "bigstore_path": "/mnt/flash"}
    attempt = failed({**CREATE, "node": {**node, "paths": paths}, "max_retries": 3})

    maria.open(maria.client.post(f"/setup/retry/{attempt.pk}/", {"part": "node.paths.persistent_path"})["Location"])
    maria.fill()
    maria.fill(password=PASSWORD)
    maria.start()

    assert sent_again(attempt) == attempt.request


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({"bigstore_path": "/mnt/other"}, {"bigstore_driver": "speedb", "paths": "/mnt/other"}),
        ({"bigstore_path": "", "bigstore_driver": ""}, {"paths": ""}),
        ({"bigstore_driver": "", "bigstore_enabled": "on"}, {"bigstore_enabled": True, "paths": "/mnt/flash"}),
    ],
)
def test_flash_can_be_changed(maria, failed, changes, sent):
    attempt = failed({**CREATE, "node": {**FLASH[3], "identity": {"addr": "127.0.0.1"}}})

    maria.open(maria.client.post(f"/setup/retry/{attempt.pk}/", {"part": "node.paths.bigstore_path"})["Location"])
    maria.fill(**changes)
    maria.fill(password=PASSWORD)
    maria.start()

    node = Attempt.objects.exclude(pk=attempt.pk).get().request["node"]
    flash = {key: value for key, value in node.items() if key.startswith("bigstore")}
    assert flash | {"paths": node["paths"].get("bigstore_path", "")} == sent


@pytest.mark.django_db
def test_a_lost_cluster_name_may_have_one_label(maria, failed):
    attempt = failed({**RECOVER, "node": {"identity": {"addr": "127.0.0.1"}}})

    maria.open(maria.client.post(f"/setup/retry/{attempt.pk}/", {"part": "credentials.password"})["Location"])
    maria.fill(name="docker-cluster", password=PASSWORD)

    assert maria.url.endswith("/review/")
    assert "docker-cluster" in maria.text
