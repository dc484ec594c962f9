"""How many refused sign-ins reach a cluster, counted in the journals of reference nodes."""

import re
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import engine, sign_ins, vault
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.explanations import explain
from setup_wizard.attempts.models import Attempt, SentSignIn
from setup_wizard.attempts.states import Reason, State
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes import trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.errors import NodeRefused
from setup_wizard.nodes.probe import probe
from tests.attempts.attempt_rows import add_attempt
from tests.attempts.conftest import PASSWORD, follow, tick
from tests.nodes.servers import IDLE, Server, answer, running
from tests.reference_node.running import start_node

pytestmark = pytest.mark.django_db

USERNAME = "admin@example.com"
CERTIFICATE = Credentials.model_construct(client_cert="CANARY", client_key=Secret("CANARY"))


def refused(*nodes):
    """The sign-ins that these nodes refused, including those of a joining node."""
    lines = [line for node in nodes for line in node.journal_lines()]
    return [line for line in lines if line.get("authorization") and line.get("status") == 401]


def change_password(attempt, password="CANARY-changed"):
    """Replace the stored password with a password that the cluster refuses."""
    changed = Credentials(username=USERNAME, password=Secret(password))
    vault.seal(attempt.pk, changed, expires_at=timezone.now() + timedelta(days=1))


def let_pass(seconds):
    """Skip the pause before the second try."""
    earlier = timezone.now() - timedelta(seconds=seconds)
    Attempt.objects.exclude(refused_since=None).update(refused_since=earlier)


def follow_refused(attempt):
    """Follow it, without the pause before the second try."""
    follow(attempt, until=lambda attempt: attempt.refused_since or not attempt.status.is_moving)
    let_pass(11)
    return follow(attempt)


@pytest.fixture
def cluster(start, fresh_node):
    """A cluster of one node that has not refused a sign-in yet."""
    follow(start(fresh_node))
    assert refused(fresh_node) == []
    return fresh_node


@pytest.fixture
def newcomer(tmp_path):
    with start_node(tmp_path / "newcomer") as node:
        yield node


@pytest.fixture
def olaf(db):
    return assign(User.objects.create_user("olaf"), Role.OPERATOR)


def test_wrong_password_at_start_of_a_join_is_sent_once(start, cluster, newcomer):
    attempt = follow(start(newcomer, member=cluster, password="CANARY-mistyped"))

    assert len(refused(cluster, newcomer)) == 1
    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
    assert attempt.choices == (Choice.CREDENTIALS, Choice.CANCEL)
    assert newcomer.accepted() == []
    assert "refused the credentials. Nothing was sent" in attempt.events.last().message


def test_right_password_entered_after_a_wrong_start_joins_the_node(start, cluster, newcomer, maria):
    attempt = follow(start(newcomer, member=cluster, password="CANARY-mistyped"))

    engine.give_credentials(attempt.pk, Credentials(username=USERNAME, password=Secret(PASSWORD)), by=maria)

    assert follow(attempt).status is State.SUCCEEDED
    assert len(refused(cluster, newcomer)) == 1


def test_password_changed_during_a_join_is_sent_three_times(start, cluster, newcomer):
    attempt = follow(start(newcomer, member=cluster), until=lambda attempt: attempt.may_have_sent)
    change_password(attempt)

    attempt = follow_refused(attempt)

    assert len(refused(newcomer)) == 2
    assert len(refused(cluster)) == 1
    assert attempt.status is State.NEEDS_OPERATOR
    assert attempt.why in {Reason.CREDENTIALS_REFUSED, Reason.FOREIGN_CLUSTER}


def test_password_changed_during_a_create_is_sent_twice(start, fresh_node):
    attempt = follow(start(fresh_node), until=lambda attempt: attempt.may_have_sent)
    change_password(attempt)

    attempt = follow_refused(attempt)

    assert len(refused(fresh_node)) == 2
    assert attempt.status is State.NEEDS_OPERATOR


def test_second_try_waits_ten_seconds_and_polls_unsigned_until_then(start, tmp_path):
    with start_node(tmp_path / "slow", pace=30, faults=["unauthorized=creating_cluster"]) as node:
        attempt = follow(start(node), until=lambda attempt: attempt.refused_since)
        asked = len(node.requests())
        for _ in range(5):
            tick(attempt)

        assert [line["authorization"] for line in node.requests()[asked:]] == [False] * 5
        let_pass(11)
        tick(attempt)
        assert node.requests()[-1]["authorization"]
        assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)


def test_refused_sign_in_while_verifying_is_sent_twice(start, fresh_node):
    attempt = follow(start(fresh_node), until=lambda attempt: attempt.status is State.VERIFYING)
    change_password(attempt)

    attempt = follow_refused(attempt)

    assert len(refused(fresh_node)) == 2
    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.FOREIGN_CLUSTER)


def test_refused_password_entered_again_is_not_sent(start, cluster, newcomer, maria):
    attempt = follow(start(newcomer, member=cluster, password="CANARY-mistyped"))
    again = Credentials(username=USERNAME, password=Secret("CANARY-mistyped"))

    with pytest.raises(engine.ChoiceRefused) as refusal:
        engine.give_credentials(attempt.pk, again, by=maria)

    assert refusal.value.code == "credentials_held_back"
    assert f"refused {USERNAME} with this password" in refusal.value.message
    attempt.refresh_from_db()
    assert attempt.status is State.NEEDS_OPERATOR
    assert len(refused(cluster, newcomer)) == 1


def test_refused_password_is_sent_once_more_when_the_operator_insists(start, cluster, newcomer, maria):
    attempt = follow(start(newcomer, member=cluster, password="CANARY-mistyped"))

    engine.give_credentials(
        attempt.pk, Credentials(username=USERNAME, password=Secret("CANARY-mistyped")), by=maria, send_anyway=True
    )
    attempt = follow(attempt)

    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
    assert len(refused(cluster, newcomer)) == 2


def test_new_attempt_does_not_send_credentials_refused_before(start, cluster, newcomer, tmp_path):
    follow(start(newcomer, member=cluster, password="CANARY-mistyped"))

    with start_node(tmp_path / "third") as third:
        attempt = follow(start(third, member=cluster, password="CANARY-mistyped"))

    assert len(refused(cluster)) == 1
    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
    assert "are not sent again before" in attempt.events.last().message


def test_sign_ins_without_an_answer_are_three_at_most(start):
    """Before each further one the node is polled without credentials, so a restart costs one sign-in."""
    began, asked = [], []

    def script(peer):
        while request := peer.read_request():
            signed = "authorization" in request.headers
            if "/validate/" in request.path:
                peer.send(answer(404))
            elif request.method == "POST":
                began.append(request)
                peer.send(answer(200, body=b""))
            elif not began:
                peer.answer(200, IDLE)
            else:
                asked.append(signed)
                if signed:
                    return
                peer.send(answer(401))

    with running(Server(script)) as node:
        attempt = follow(start(SimpleNamespace(address=str(node.endpoint.address))))

    assert (attempt.status, attempt.why) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
    assert asked.count(True) == 3
    assert (True, True) not in pairwise(asked)
    assert "did not answer 3 sign-ins of this wizard" in attempt.events.last().message


def test_refused_client_certificate_counts_as_refused(cluster):
    account = sign_ins.Account((probe(Address.parse(cluster.address)).certificate.fingerprint,), "")

    with pytest.raises(NodeRefused), sign_ins.reserved(account, CERTIFICATE):
        raise NodeRefused

    held = sign_ins.blocked(account, CERTIFICATE)
    assert "refused this client certificate" in held.message


def test_no_text_suggests_turning_the_lockout_off():
    places = [each for each in Path("setup_wizard").rglob("*.py") if "reference_node" not in each.parts]
    texts = [place.read_text().lower() for place in [*places, *Path("templates").rglob("*.html")]]
    lines = [line for text in texts for line in text.splitlines() if re.search("lockout|locks? the account", line)]

    assert lines
    assert not [line for line in lines if re.search(r"\b(disable|switch|turn|off|raising|raise (the|its))\b", line)]


class TestPages:
    @pytest.fixture
    def waiting(self, start, cluster, newcomer):
        return follow(start(newcomer, member=cluster, password="CANARY-mistyped"))

    def test_same_password_is_blocked_and_sent_with_the_checkbox(self, client, maria, waiting, cluster):
        client.force_login(maria)
        place, typed = f"/attempts/{waiting.pk}/", {"username": USERNAME, "password": "CANARY-mistyped"}

        shown = client.get(place)
        held = client.post(f"{place}credentials/", typed, follow=True)
        assert len(refused(cluster)) == 1
        client.post(f"{place}credentials/", typed | {"send_anyway": "on"})
        follow(waiting)

        assert 'name="send_anyway"' in shown.text
        assert "are not sent again before" in held.text
        assert len(refused(cluster)) == 2

    def test_request_to_a_member_shares_the_limit(self, client, maria, cluster):
        seen = probe(Address.parse(cluster.address))
        attempt = add_attempt(maria, cluster.address, state=State.FAILED, reason=Reason.ALREADY_IN_CLUSTER)
        Attempt.objects.filter(pk=attempt.pk).update(fingerprint=seen.certificate.fingerprint)
        trust.approve(seen.endpoint, seen.certificate, by=maria)
        client.force_login(maria)
        typed = {"username": USERNAME, "password": "CANARY-1", "consent": "on"}
        place = f"/attempts/{attempt.pk}/cluster/"

        pages = [client.post(place, typed), client.post(place, typed)]
        others = [client.post(place, typed | {"password": f"CANARY-{number}"}) for number in range(2, 6)]

        assert "The node rejected these credentials." in pages[0].text
        assert (pages[1].status_code, "are not sent again before" in pages[1].text) == (422, True)
        assert 'name="send_anyway"' in pages[1].text
        assert "did not answer 3 sign-ins of this wizard" in others[-1].text
        assert len(refused(cluster)) == 3


class TestLimit:
    """The limit of one cluster and user name, over all attempts and users."""

    @pytest.fixture
    def mistype(self, start, newcomer, maria):
        """Enter wrong passwords, the first at Start; return the attempt."""

        def enter(member, *passwords, by=maria):
            attempt = follow(start(newcomer, member=member, password=passwords[0]))
            for password in passwords[1:]:
                engine.give_credentials(attempt.pk, Credentials(username=USERNAME, password=Secret(password)), by=by)
                attempt = follow(attempt)
            return attempt

        return enter

    def test_three_wrong_passwords_reach_the_limit(self, cluster, mistype, maria):
        attempt = mistype(cluster, "CANARY-1", "CANARY-2", "CANARY-3")

        with pytest.raises(engine.ChoiceRefused) as refusal:
            engine.give_credentials(attempt.pk, Credentials(username=USERNAME, password=Secret("CANARY-4")), by=maria)

        assert refusal.value.code == "credentials_held_back"
        assert "did not answer 3 sign-ins of this wizard" in refusal.value.message
        assert len(refused(cluster)) == 3

    def test_page_shows_how_many_were_refused_and_until_when(self, cluster, mistype):
        attempt = mistype(cluster, "CANARY-1", "CANARY-2")

        newest = SentSignIn.objects.order_by("-at")[0].at
        until = newest + timedelta(minutes=15)
        meaning = explain(attempt).meaning
        assert f"2 sign-ins of this wizard as {USERNAME} without success count towards a lockout" in meaning
        assert f"until {until:%H:%M} UTC." in meaning

    def test_limit_is_shared_by_attempts_and_users(self, start, cluster, mistype, olaf, tmp_path):
        first = mistype(cluster, "CANARY-1", "CANARY-2")
        engine.give_credentials(first.pk, Credentials(username=USERNAME, password=Secret("CANARY-3")), by=olaf)
        follow(first)

        with start_node(tmp_path / "third") as third:
            second = follow(start(third, member=cluster, password="CANARY-4"))
            assert (second.status, second.why) == (State.NEEDS_OPERATOR, Reason.CREDENTIALS_REFUSED)
            assert len(refused(cluster)) == 3
            assert third.accepted() == []

            SentSignIn.objects.update(at=timezone.now() - timedelta(minutes=16))
            engine.give_credentials(second.pk, Credentials(username=USERNAME, password=Secret(PASSWORD)), by=olaf)
            assert follow(second).status is State.SUCCEEDED

    @pytest.mark.parametrize("spelling", ["ADMIN@example.com", " admin@example.com"])
    def test_limit_ignores_upper_and_lower_case_of_the_user_name(self, cluster, mistype, maria, spelling):
        attempt = mistype(cluster, "CANARY-1", "CANARY-2", "CANARY-3")

        with pytest.raises(engine.ChoiceRefused):
            engine.give_credentials(attempt.pk, Credentials(username=spelling, password=Secret("CANARY-4")), by=maria)

    def test_password_that_was_just_accepted_is_sent(self, cluster, mistype, maria):
        attempt = mistype(cluster, "CANARY-1", "CANARY-2", "CANARY-3")

        engine.give_credentials(attempt.pk, Credentials(username=USERNAME, password=Secret(PASSWORD)), by=maria)

        assert follow(attempt).status is State.SUCCEEDED

    def test_other_user_name_has_its_own_limit(self, cluster, mistype, maria):
        attempt = mistype(cluster, "CANARY-1", "CANARY-2", "CANARY-3")

        engine.give_credentials(
            attempt.pk, Credentials(username="jan@example.com", password=Secret("CANARY-4")), by=maria
        )

        follow(attempt)
        assert len(refused(cluster)) == 4

    @pytest.mark.parametrize(("threshold", "most"), [(10, 8), (0, 10), (4, 2), (1, 1)])
    def test_limit_follows_the_policy_of_the_cluster(self, start, mistype, tmp_path, threshold, most):
        with start_node(tmp_path / "strict", options=["--lockout-threshold", str(threshold)]) as node:
            follow(start(node))
            with suppress(engine.ChoiceRefused):
                mistype(node, *(f"CANARY-{number}" for number in range(10)))

            assert len(refused(node)) == most
