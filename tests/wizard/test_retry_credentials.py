"""A retry within 15 minutes of the failure needs no password, for the person who started the setup."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from setup_wizard.attempts import preflight, timing, vault
from setup_wizard.attempts.models import Attempt, SealedCredentials
from setup_wizard.attempts.states import Reason, State
from setup_wizard.wizard.models import Draft

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(maria, fresh_node, member) -> Attempt:
    """A join that the node has just failed; its credentials are kept."""
    maria.approve(fresh_node, "join_cluster")
    maria.fill(rack_id="rack-a")
    maria.fill(members="127.0.0.2", port=str(member.port), username="admin@example.com", password=PASSWORD)
    maria.fill(member_fingerprints_match="on")
    maria.start()
    Attempt.objects.update(state=State.FAILED, reason=Reason.NODE_ERROR, error_code="path_error")
    attempt = Attempt.objects.get()
    vault.keep_until(attempt.pk, timezone.now() + timing.RETRY_SECRET_LIFE)
    return attempt


def retry(browser, attempt, **sent):
    """Press a button of the failed attempt's page; gives the draft that it made, and opens where it leads."""
    page = browser.client.post(f"/setup/retry/{attempt.pk}/", sent)
    browser.open(page["Location"])
    return Draft.objects.get(pk=re.search(r"/setup/([0-9a-f-]{36})/", page["Location"])[1])


def owners():
    return set(SealedCredentials.objects.values_list("owner", flat=True))


def test_retry_leads_to_the_review_and_starts_with_the_kept_password(maria, failed):
    retry(maria, failed, part="")

    assert maria.url.endswith("/review/")
    assert PASSWORD not in maria.page.content.decode()
    maria.start()
    second = Attempt.objects.exclude(pk=failed.pk).get()
    assert vault.open_for(second.pk).password.reveal() == PASSWORD
    assert owners() == {second.pk}


def test_retry_starts_the_checks_of_its_review(maria, failed):
    draft = retry(maria, failed, part="")

    assert preflight.stored_runs.read(draft.pk, draft.version).outcomes


def test_remedy_with_a_value_leads_to_the_review_and_is_marked(maria, failed):
    rack = "node.identity.rack_id"

    retry(maria, failed, **{"part": rack, f"value:{rack}": "rack-b"})

    assert maria.url.endswith("/review/")
    assert re.search(r"rack-b\s+changed since the failed setup", maria.text)
    assert maria.text.count("changed since the failed setup") == 1


def test_remedy_whose_value_is_refused_leads_to_its_field(maria, failed):
    rack = "node.identity.rack_id"
    page = maria.client.post(f"/setup/retry/{failed.pk}/", {"part": rack, f"value:{rack}": "no good!"})

    assert page["Location"].endswith("/node/#id_rack_id")


def test_remedy_without_a_value_leads_to_its_field(maria, failed):
    page = maria.client.post(f"/setup/retry/{failed.pk}/", {"part": "credentials.password"})

    maria.open(page["Location"])
    assert page["Location"].endswith("/cluster/#id_password")
    assert "Kept from the failed setup. Leave empty to use it." in maria.text


def test_kept_password_expires_15_minutes_after_the_failure(maria, failed):
    draft = retry(maria, failed, part="")
    assert vault.expires_at(draft.pk) == vault.expires_at(failed.pk)

    SealedCredentials.objects.update(expires_at=timezone.now())
    retry(maria, failed, part="")

    assert maria.url.endswith("/cluster/")
    assert "Enter the password again" in maria.text


def test_another_operator_enters_the_password_again(maria, ben, failed):
    draft = retry(ben, failed, part="")

    assert ben.url.endswith("/cluster/")
    assert vault.expires_at(draft.pk) is None
    assert owners() == {failed.pk}


@pytest.mark.parametrize("state", [state for state in State if state is not State.FAILED])
def test_only_a_failed_attempt_gives_its_credentials_back(maria, failed, state):
    Attempt.objects.update(state=state)

    draft = retry(maria, failed, part="")

    assert vault.expires_at(draft.pk) is None


def test_remedy_that_changes_the_user_name_keeps_no_password(maria, failed):
    name = "credentials.username"

    draft = retry(maria, failed, **{"part": name, f"value:{name}": "other@example.com"})

    assert vault.expires_at(draft.pk) is None


def test_second_click_keeps_one_copy(maria, failed):
    first = retry(maria, failed, part="")
    second = retry(maria, failed, part="")

    assert owners() == {failed.pk, second.pk}
    assert first.pk != second.pk


def test_start_deletes_every_copy(maria, failed):
    other = retry(maria, failed, part="")
    Draft.objects.filter(pk=other.pk).update(version=2)
    retry(maria, failed, part="")
    assert len(owners()) == 3

    maria.start()

    assert owners() == {Attempt.objects.exclude(pk=failed.pk).get().pk}


def test_new_password_deletes_what_was_kept(maria, failed):
    draft = retry(maria, failed, part="credentials.password")

    maria.fill(password="The-right-one-9")

    assert owners() == {draft.pk}
    assert vault.open_for(draft.pk).password.reveal() == "The-right-one-9"


def test_discarded_draft_takes_its_copy_along(maria, failed):
    draft = retry(maria, failed, part="")

    maria.client.post(f"/setup/{draft.pk}/discard/")

    assert owners() == {failed.pk}


def test_failed_page_tells_only_the_starter_until_when_it_is_kept(maria, ben, failed):
    kept = f"Your credentials are kept for it until {vault.expires_at(failed.pk):%-d %b %Y, %H:%M:%S} UTC"

    maria.open(f"/attempts/{failed.pk}/")
    ben.open(f"/attempts/{failed.pk}/")

    assert kept in maria.text
    assert "Your credentials are kept" not in ben.text
    assert "Start again" in ben.text


def test_copy_never_outlives_15_minutes(maria, failed):
    vault.keep_until(failed.pk, timezone.now() + timedelta(days=7))

    draft = retry(maria, failed, part="")

    assert vault.expires_at(draft.pk) <= timezone.now() + timing.RETRY_SECRET_LIFE
