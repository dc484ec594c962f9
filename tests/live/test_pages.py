"""The attempt page: every error code and every reason is explained, with a way to continue."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from setup_wizard.attempts.choices import Choice, choices_of
from setup_wizard.attempts.engine.lease import save_decision, snapshot_of
from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.observations import Seen
from setup_wizard.attempts.reducer import decide
from setup_wizard.attempts.states import Reason, State
from setup_wizard.attempts.templatetags.typography import with_code
from setup_wizard.bootstrap.error_catalogue import ErrorCode
from setup_wizard.bootstrap.status import parse_answer
from tests.attempts.attempt_rows import create_attempt

REQUEST = {
    "action": "join_cluster",
    "cluster": {"nodes": ["10.0.0.5"]},
    "node": {
        "paths": {"persistent_path": "/mnt/persist", "ephemeral_path": "/mnt/tmp", "bigstore_path": "/mnt/flash"},
        "identity": {"addr": "10.0.0.7"},
    },
    "credentials": {"username": "admin@example.com", "password": "********"},
}
# one cause of each of the documented codes, as a node would word it
DETAILS = {
    "config_error": {"message": "node.identity.addr: 10.0.0.8 is not an address of this node"},
    "connect_error": {"message": "10.0.0.5:9443: connection refused"},
    "access_denied": {"message": "wrong user name or password"},
    "invalid_license": {"violation_code": "license_expired"},
    "repair_required": {"failed_nodes": [{"uid": 2, "rack_id": "rack-b"}], "replace_candidate": 2},
    "insufficient_node_memory": {"required_memory": 17179869184},
    "insufficient_node_flash": {"required_flash": 1099511627776},
    "time_not_sync": {"message": "the clocks differ by 41 s"},
    "rack_id_required": {"current_rack_ids": ["rack-a", "rack-b"]},
    "socket_directory_mismatch": {"message": "/run/redis here, /tmp/redis in the cluster"},
    "node_config_mismatch": {"message": "installdir differs"},
    "path_error": {"message": "/mnt/persist does not exist"},
    "internal_error": {"message": "ccs did not start"},
}
TOLD = {
    "repair_required": "node 2",
    "insufficient_node_memory": "16 GiB",
    "insufficient_node_flash": "1,024 GiB",
    "rack_id_required": "Join in rack-b",
    "invalid_license": "license_expired",
}


@pytest.fixture
def shown(client, maria):
    client.force_login(maria)

    def read(attempt, name="detail"):
        answer = client.get(reverse(f"live:{name}", args=[attempt.pk]))
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", unescape(answer.content.decode()))

    return read


@pytest.fixture
def attempt(maria):
    now = timezone.now()
    made = create_attempt(
        requested_by=maria,
        action="join_cluster",
        host="10.0.0.7",
        address="10.0.0.7:9443",
        member_address="10.0.0.5:9443",
        username="admin@example.com",
        request=REQUEST,
        facts={"total_memory": 8267825152},
        fingerprint=":".join(["AB"] * 32),
        state=State.IN_PROGRESS,
        submits=1,
        submit_intent_at=now,
        started_at=now,
        deadline_at=now + timedelta(minutes=30),
        last_seq=1,
    )
    Event.objects.create(attempt=made, seq=1, kind="started", message="Started by maria", by=maria)
    return made


def show(attempt, document, times=2):
    """Let the reducer and the engine judge a status document, as often as it takes."""
    now = timezone.now()
    for look in range(times):
        now = now + timedelta(seconds=2 * look)
        before = snapshot_of(attempt)
        status = parse_answer(document).status
        save_decision(attempt, before, decide(before, Seen(status, attempt.fingerprint), now), now)


def failed_with(code, details):
    status = {"state": "error", "start_time": "2026-11-23T14:02:04Z", "error_code": code, "error_details": details}
    return {"bootstrap_status": status, "local_node_info": {}}


@pytest.mark.parametrize("code", ErrorCode)
def test_each_error_code_is_explained_on_the_page(shown, attempt, code):
    show(attempt, failed_with(code, DETAILS[code]))

    text = shown(attempt)
    explanation = explain(attempt)
    assert (attempt.status, attempt.why, attempt.error_code) == (State.FAILED, Reason.NODE_ERROR, code)
    assert f">{explanation.title}</h2>" in text
    assert explanation.meaning in text
    parts = [explanation.meaning, *explanation.causes, *explanation.checks, f"{explanation.remedies[0].label}</button>"]
    places = [text.index(unescape(with_code(part))) for part in parts]
    assert places == sorted(places)
    for figure in explanation.figures:
        assert f'<th scope="row">{figure.label}</th>' in text
        assert all(f"<td>{cell}</td>" in text for cell in (figure.here, figure.cluster, figure.needed) if cell)
    assert TOLD.get(code, DETAILS[code].get("message", "")) in text
    assert all(f"{remedy.label}</button>" in text for remedy in explanation.remedies)


def test_the_name_of_the_members_cluster_is_offered(shown, attempt):
    request = {**REQUEST, "cluster": {"name": "redis-prod.example.com", "nodes": ["10.0.0.5"]}}
    found = {"found_name": "redis-test.example.com", "request": request}
    Attempt.objects.update(state=State.FAILED, reason=Reason.CLUSTER_MISMATCH, ended_at=timezone.now(), **found)
    attempt.refresh_from_db()

    text = shown(attempt)

    assert "Rename to redis-test.example.com</button>" in text
    assert 'name="value:cluster.name" value="redis-test.example.com"' in text
    assert "<td>redis-prod.example.com</td>" in text


def test_an_undocumented_error_code_is_shown_as_it_is(shown, attempt):
    show(attempt, failed_with("moon_in_the_wrong_phase", {"message": "<b>waning</b>\u202e"}))

    text = shown(attempt)
    assert attempt.status is State.FAILED
    assert "moon_in_the_wrong_phase" in text
    assert "\u202e" not in text


def test_messages_of_a_node_are_escaped(client, maria, attempt):
    show(attempt, failed_with("path_error", {"message": "<script>alert(1)</script>"}))
    client.force_login(maria)

    raw = client.get(reverse("live:detail", args=[attempt.pk])).content.decode()

    assert "<script>alert" not in raw
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in raw


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in {Reason.NONE, Reason.NODE_ERROR}])
def test_each_reason_is_explained_with_its_choices_or_a_retry(shown, attempt, reason):
    if choices_of(reason):
        Attempt.objects.update(
            state=State.NEEDS_OPERATOR,
            reason=reason,
            resume_state=State.UNKNOWN,
            seen_certificate={"fingerprint": "CC:03", "subject": "CN=node"},
        )
    else:
        state = State.CANCELLED if reason in {Reason.CANCELLED, Reason.STOPPED} else State.FAILED
        Attempt.objects.update(state=state, reason=reason, ended_at=timezone.now())
    attempt.refresh_from_db()

    text = shown(attempt)

    explanation = explain(attempt)
    assert explanation.title in text
    assert attempt.address in explanation.meaning or reason in {Reason.SECRET_UNAVAILABLE, Reason.FORBIDDEN_ADDRESS}
    for choice in choices_of(reason):
        assert reverse("live:choose", args=[attempt.pk, choice.value]) in text
    for remedy in explanation.remedies:
        assert remedy.label in text
    assert choices_of(reason) or explanation.remedies
    for figure in explanation.figures:
        assert f'<th scope="row">{figure.label}</th>' in text
        assert any((figure.here, figure.cluster, figure.needed))


def test_a_command_is_shown_as_code(shown, attempt):
    show(attempt, failed_with("repair_required", DETAILS["repair_required"]))

    assert "<li>On a member, <code>rladmin status nodes</code> shows which nodes are down.</li>" in shown(attempt)


def test_a_request_that_was_only_checked_is_not_called_sent(shown, attempt):
    status = {"state": State.FAILED, "reason": Reason.VALIDATION, "error_code": "access_denied"}
    Attempt.objects.update(**status, submits=0, submit_intent_at=None, ended_at=timezone.now())
    Event.objects.create(attempt=attempt, seq=2, kind="checking", message="Connecting to the node")
    attempt.refresh_from_db()

    text = shown(attempt)

    assert "<span>access_denied</span>" in text
    assert "10.0.0.7:9443 checked the request and changed nothing." in text


@pytest.mark.parametrize(("uid", "place"), [(3, " in place of node 3"), (None, "")])
def test_the_heading_of_a_join_names_the_replaced_node(shown, attempt, uid, place):
    identity = {"addr": "10.0.0.7"} | ({"uid": uid} if uid else {})
    Attempt.objects.update(request=REQUEST | {"node": {"identity": identity}}, cluster_name="redis-prod.example.com")
    attempt.refresh_from_db()

    assert f"<h1>Join 10.0.0.7:9443 to redis-prod.example.com{place}</h1>" in shown(attempt)


def test_the_stages_show_what_was_reached(shown, attempt):
    show(attempt, failed_with("access_denied", {}))
    marks = re.findall(r'<li class="(\w+)"', shown(attempt))

    assert marks[-6:].count("bad") == 1
    assert marks[-1] == "todo"


def test_the_panel_is_a_204_without_a_newer_event(client, maria, attempt):
    client.force_login(maria)
    url = reverse("live:panel", args=[attempt.pk])

    assert client.get(url, {"after": attempt.last_seq}).status_code == 204
    assert client.get(url, {"after": attempt.last_seq - 1}).status_code == 200


def test_only_an_open_attempt_opens_a_stream(shown, attempt):
    assert f'sse-connect="/stream?topic=attempt:{attempt.pk}#{attempt.last_seq}"' in shown(attempt)
    assert '<div id="panel" data-open>' in shown(attempt, "panel")

    show(attempt, failed_with("access_denied", {}))

    assert "topic=attempt:" not in shown(attempt)
    assert "data-open" not in shown(attempt, "panel")


def test_a_new_panel_leaves_the_stream_alone(shown, attempt):
    assert "sse-" not in shown(attempt, "panel")


def test_a_server_that_cannot_stream_returns_503(client, maria, attempt):
    """As under `manage.py runserver`, where a stream would hold a thread until it ends."""
    client.force_login(maria)

    assert client.get(reverse("live:stream", args=[attempt.pk])).status_code == 503


def test_without_a_script_a_running_attempt_reloads_itself(shown, attempt):
    assert '<noscript><meta http-equiv="refresh"' in shown(attempt)

    show(attempt, failed_with("access_denied", {}))

    assert "http-equiv" not in shown(attempt)


class TestChoices:
    def test_stop_watching_ends_the_attempt(self, client, maria, attempt):
        client.force_login(maria)

        answer = client.post(
            reverse("live:choose", args=[attempt.pk, Choice.STOP_WATCHING.value]),
            {"confirmed": "yes", "seq": attempt.last_seq},
            follow=True,
        )

        attempt.refresh_from_db()
        assert attempt.status is State.CANCELLED
        assert "No longer watched" in answer.content.decode()

    def test_a_choice_that_is_not_offered_is_refused(self, client, maria, attempt):
        client.force_login(maria)

        answer = client.post(reverse("live:choose", args=[attempt.pk, Choice.CANCEL.value]), follow=True)

        attempt.refresh_from_db()
        assert attempt.status is State.IN_PROGRESS
        assert "nodes have no cancel" in answer.content.decode()

    @pytest.mark.parametrize("choice", Choice)
    def test_a_get_makes_no_choice(self, client, maria, attempt, choice):
        client.force_login(maria)
        before = Attempt.objects.values().get(pk=attempt.pk)

        assert client.get(reverse("live:choose", args=[attempt.pk, choice.value])).status_code == 302
        assert Attempt.objects.values().get(pk=attempt.pk) == before

    @pytest.mark.parametrize("name", ["detail", "panel", "list"])
    def test_each_page_needs_a_sign_in(self, client, attempt, name):
        url = reverse("history:list") if name == "list" else reverse(f"live:{name}", args=[attempt.pk])

        assert client.get(url).status_code == 302
