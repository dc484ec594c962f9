"""A draft is saved with its first valid step, one for each node."""

import pytest
from django.db import connection
from django.db.models import F

from setup_wizard.wizard.models import Draft

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["https://10.0.0.5:8443/ui", "8.8.8.8", "127.0.0.1:1", "", "two words"])
def test_a_rejected_address_makes_no_draft(maria, settings, address):
    settings.SETUP_WIZARD_PROBES_PER_MINUTE = 1000

    for _ in range(40):
        maria.begin(address)
        maria.fill(action="create_cluster")
        assert maria.page.status_code == 422

    assert not Draft.objects.exists()
    assert maria.fields["address"] == address


def test_opening_the_first_step_makes_no_draft(maria, fresh_node):
    maria.begin(fresh_node.address)
    maria.fill(action="create_cluster")

    assert maria.page.status_code == 422
    assert not Draft.objects.exists()


def test_a_rejected_address_for_the_next_node_makes_no_draft(maria, created):
    for _ in range(3):
        maria.post(f"/setup/join/{created.pk}/", address="127.0.0.1:1")
        maria.fill()

    assert not Draft.objects.exists()


def test_a_node_chosen_again_reuses_its_draft(maria, fresh_node):
    maria.approve(fresh_node)
    maria.fill(rack_id="rack-a")
    draft = maria.draft

    maria.begin(fresh_node.address)
    assert maria.url == f"/setup/{draft.pk}/action/"
    maria.begin(f"localhost:{fresh_node.port}")
    maria.fill(action="recover_cluster", fingerprints_match="on")

    assert Draft.objects.get().pk == draft.pk
    assert Draft.objects.get().action == "recover_cluster"
    assert Draft.objects.get().data["node"]["rack_id"] == "rack-a"


def test_a_node_sent_twice_from_new_pages_makes_one_draft(maria, fresh_node):
    maria.begin(fresh_node.address)
    maria.fill(action="create_cluster")
    fields = maria.fields | {"fingerprints_match": "on"}

    answers = [maria.client.post("/setup/new/", fields) for _ in range(2)]

    draft = Draft.objects.get()
    assert [answer["Location"] for answer in answers] == [f"/setup/{draft.pk}/node/"] * 2


def test_each_person_has_their_own_draft(maria, ben, fresh_node):
    maria.approve(fresh_node)
    ben.approve(fresh_node)

    assert sorted(Draft.objects.values_list("owner__username", flat=True)) == ["ben", "maria"]


def test_a_started_draft_is_not_reused(maria, fresh_node):
    maria.to_review(fresh_node)
    maria.start()

    maria.begin(fresh_node.address)

    assert maria.url.startswith("/setup/new/")


def test_an_open_draft_of_the_next_node_is_kept_and_joins(maria, created, fresh_node):
    maria.approve(fresh_node)
    maria.fill(rack_id="rack-a")

    maria.post(f"/setup/join/{created.pk}/", address=fresh_node.address)
    maria.fill()
    maria.fill()

    assert Draft.objects.get().data["node"]["rack_id"] == "rack-a"
    assert maria.fields["members"] == "127.0.0.2"
    assert maria.draft.member_fingerprint


def test_a_join_does_not_overwrite_a_member_saved_meanwhile(maria, created, fresh_node):
    maria.approve(fresh_node)
    draft = maria.draft
    other_tab = Draft.objects.filter(pk=draft.pk, version=draft.version)
    member = {"version": F("version") + 1, "member_fingerprint": "AA", "member_probe": draft.probe}

    def save_in_other_tab(execute, sql, *arguments):
        if sql.startswith('UPDATE "wizard_draft"') and "AA" not in arguments[0]:
            other_tab.update(**member)
        return execute(sql, *arguments)

    maria.post(f"/setup/join/{created.pk}/", address=fresh_node.address)
    with connection.execute_wrapper(save_in_other_tab):
        maria.fill()

    assert maria.page.status_code == 422
    assert Draft.objects.get().member_fingerprint == "AA"


def test_a_fix_clicked_twice_makes_one_draft(maria, created):
    for _ in range(3):
        maria.post(f"/setup/retry/{created.pk}/")

    assert Draft.objects.count() == 1


def test_discard_all_keeps_drafts_changed_since(maria, ben, fresh_node, second_node):
    ben.approve(second_node)
    maria.to_review(fresh_node)
    maria.approve(second_node)
    shown = maria.open("/setup/").content.decode()
    assert "Discard all" in maria.text
    until = shown.partition('name="until" value="')[2].partition('"')[0]
    maria.open(f"/setup/{maria.draft.pk}/node/")
    maria.fill(rack_id="rack-a")

    maria.post("/setup/discard/", until=until)

    assert [draft.data["node"].get("rack_id") for draft in Draft.objects.filter(owner=maria.user)] == ["rack-a"]
    assert Draft.objects.filter(owner=ben.user).count() == 1
    assert "1 draft discarded" in maria.text


@pytest.mark.parametrize("until", ["", "yesterday", "2026-13-01T00:00:00+00:00"])
def test_discard_all_needs_the_time_of_the_page(maria, fresh_node, until):
    maria.approve(fresh_node)

    assert maria.post("/setup/discard/", until=until).status_code == 200
    assert Draft.objects.exists()


def test_discard_refuses_a_changed_draft(maria, fresh_node):
    maria.to_review(fresh_node)
    draft = maria.draft

    maria.post(f"/setup/{draft.pk}/discard/", version=draft.version - 1)
    assert Draft.objects.exists()
    assert "changed" in maria.text
    maria.post(f"/setup/{draft.pk}/discard/", version=draft.version)

    assert not Draft.objects.exists()
