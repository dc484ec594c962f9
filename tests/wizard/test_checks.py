"""Checks on the review page: begun by a POST, kept while their inputs are the same, and fixed by a button."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.access.audit import AuditEvent
from setup_wizard.attempts.models import Attempt, PreflightResult
from setup_wizard.attempts.preflight import stored_runs
from setup_wizard.wizard import review_views
from tests.reference_node.running import start_node

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db
ELSEWHERE = "203.0.113.7"


@pytest.fixture
def waiting(monkeypatch):
    """Checks begin when the test says so: `waiting` has their work."""
    begun = []
    monkeypatch.setattr(stored_runs, "in_background", begun.append)
    return begun


def rows(maria):
    return {row.name: row for row in PreflightResult.objects.filter(owner=maria.draft.pk)}


def with_foreign_address(maria, node):
    """A draft whose internal address is not the node's own, which a check refuses and can change."""
    maria.approve(node)
    maria.fill(addr="other", other_addr=ELSEWHERE)
    maria.fill(name="redis-prod.example.com", username="admin@example.com", password=PASSWORD)


def test_saving_the_last_step_begins_the_checks_and_a_get_does_not(maria, fresh_node, waiting):
    maria.to_review(fresh_node)
    maria.open(f"/setup/{maria.draft.pk}/review/")
    maria.open(f"/setup/{maria.draft.pk}/review/")

    assert len(waiting) == 1
    assert {row.level for row in rows(maria).values()} == {"pending"}
    assert "Checks are running" in maria.text
    assert 'hx-trigger="every 500ms"' in maria.page.content.decode()


def test_the_partial_is_empty_until_a_result_comes_in(maria, fresh_node, waiting):
    maria.to_review(fresh_node)
    url = f"/setup/{maria.draft.pk}/checks/"
    token = stored_runs.read(maria.draft.pk, maria.draft.version).token

    before = maria.client.get(url, {"seen": token}, headers={"HX-Request": "true"})
    waiting[0]()
    after = maria.client.get(url, {"seen": token}, headers={"HX-Request": "true"})

    assert (before.status_code, after.status_code) == (204, 200)
    assert "hx-trigger" not in after.content.decode()
    assert 'hx-swap-oob="true"' in after.content.decode()


def test_a_result_that_comes_in_while_the_page_is_made_is_shown_next(maria, fresh_node, waiting, monkeypatch):
    maria.to_review(fresh_node)
    build = review_views.build_review

    def build_before_the_last_result(*arguments, **options):
        review = build(*arguments, **options)
        waiting.pop()()
        return review

    with monkeypatch.context() as patch:
        patch.setattr(review_views, "build_review", build_before_the_last_result)
        maria.open(f"/setup/{maria.draft.pk}/review/")
    token = re.search(r"\?seen=(\w+)", maria.page.content.decode())[1]

    answer = maria.client.get(f"/setup/{maria.draft.pk}/checks/", {"seen": token}, headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert "hx-trigger" not in answer.content.decode()


def test_check_again_while_checks_run_begins_nothing(maria, fresh_node, waiting):
    maria.to_review(fresh_node)

    maria.check_again()

    assert len(waiting) == 1


def test_checks_of_a_process_that_died_are_not_checked(maria, fresh_node, waiting):
    maria.to_review(fresh_node)
    PreflightResult.objects.update(checked_at=timezone.now() - timedelta(seconds=10))

    maria.open(f"/setup/{maria.draft.pk}/review/")

    assert "The check did not finish. Check again." in maria.text
    assert "Checks are running" not in maria.text


def test_a_change_keeps_results_that_do_not_depend_on_it(maria, fresh_node):
    maria.to_review(fresh_node)
    before = rows(maria)

    maria.open(f"/setup/{maria.draft.pk}/cluster/")
    maria.fill(name="redis-test.example.com")

    after = rows(maria)
    assert {row.version for row in after.values()} == {maria.draft.version}
    assert after["memory"].pk == before["memory"].pk
    assert after["name_taken"].pk != before["name_taken"].pk
    assert after["validation"].pk != before["validation"].pk


def test_old_results_are_checked_again_for_a_new_version(maria, fresh_node):
    maria.to_review(fresh_node)
    before = rows(maria)
    PreflightResult.objects.update(checked_at=timezone.now() - timedelta(seconds=61))

    maria.open(f"/setup/{maria.draft.pk}/cluster/")
    maria.fill(name="redis-test.example.com")

    assert rows(maria)["memory"].pk != before["memory"].pk


def test_a_new_password_is_checked_and_never_in_a_row(maria, fresh_node):
    maria.to_review(fresh_node)
    before = rows(maria)

    maria.open(f"/setup/{maria.draft.pk}/cluster/")
    maria.fill(password="Another-one-8", password_again="Another-one-8")

    after = rows(maria)
    assert after["validation"].digest != before["validation"].digest
    assert "Another-one-8" not in str(list(PreflightResult.objects.values()))


def test_a_remedy_changes_exactly_its_field_and_marks_it(maria, fresh_node):
    with_foreign_address(maria, fresh_node)
    before = maria.draft
    assert f"does not list {ELSEWHERE}" in maria.text

    label = f"Use {fresh_node.bind}"
    maria.post(f"/setup/{before.pk}/remedy/", version=before.version, check="address", label=label)

    after = maria.draft
    assert after.data["node"] == {**before.data["node"], "addr": fresh_node.bind}
    assert "changed by the check “Internal address”" in maria.text
    assert rows(maria)["address"].level == "passed"
    maria.start()
    assert Attempt.objects.get().request["node"]["identity"]["addr"] == fresh_node.bind


def test_a_remedy_of_another_version_changes_nothing(maria, fresh_node):
    with_foreign_address(maria, fresh_node)
    before = maria.draft

    label = f"Use {fresh_node.bind}"
    maria.post(f"/setup/{before.pk}/remedy/", version=before.version - 1, check="address", label=label)

    assert maria.draft.data == before.data
    assert "Nothing was changed" in maria.text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"accept:address": "on"}, 'name="accept:address" checked'),
        ({"reason:address": "Not yet routed"}, 'value="Not yet routed"'),
    ],
)
def test_a_failed_check_needs_a_tick_and_a_reason(maria, fresh_node, typed, kept):
    with_foreign_address(maria, fresh_node)

    page = maria.client.post(maria.url, maria.review_fields | typed)

    assert page.status_code == 422
    assert not Attempt.objects.exists()
    assert kept in page.content.decode()
    assert 'name="accept_permanent" id="accept_permanent" checked' in page.content.decode()


def test_start_keeps_the_reason_for_an_accepted_check(maria, fresh_node):
    with_foreign_address(maria, fresh_node)

    maria.start("address", "validation")

    attempt = Attempt.objects.get()
    assert {"name": "address", "reason": "The node is prepared later"} in attempt.overrides
    assert attempt.accepted_permanent
    maria.open(f"/attempts/{attempt.pk}/")
    assert "Accepted at Start" in maria.text
    assert "The node is prepared later" in maria.text
    assert "address" in AuditEvent.objects.get(action="start").note


def test_start_needs_the_tick_for_what_can_never_be_changed(maria, fresh_node):
    maria.to_review(fresh_node)
    fields = {name: value for name, value in maria.review_fields.items() if name != "accept_permanent"}

    page = maria.client.post(maria.url, fields)

    assert page.status_code == 422
    assert "Read this and tick the box." in page.content.decode()
    assert not Attempt.objects.exists()


def test_the_review_says_what_can_never_be_changed(maria, fresh_node):
    maria.to_review(fresh_node)

    for text in ("Cluster name", "Rack awareness", "Address family", "Flash storage", "Paths", "Endpoints"):
        assert text in maria.text
    assert "It can be turned on later, once every node has a rack, but never off." in maria.text


def test_start_waits_for_no_answer_but_runs_old_checks_again(maria, tmp_path):
    with start_node(tmp_path / "node") as node:
        maria.to_review(node)
        PreflightResult.objects.update(checked_at=timezone.now() - timedelta(seconds=61))
        node.stop()

        page = maria.start()

    assert page.status_code == 422
    assert f"Cannot connect to {node.address}" in maria.text
    assert not Attempt.objects.exists()


def test_a_discarded_draft_leaves_no_results(maria, fresh_node):
    maria.to_review(fresh_node)

    maria.post(f"/setup/{maria.draft.pk}/discard/")

    assert not PreflightResult.objects.exists()
