"""Each part of a request leads to its field."""

import re

import pytest

from setup_wizard.bootstrap.actions import Action
from setup_wizard.wizard import steps
from setup_wizard.wizard.models import Draft


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(
    ("part", "place"),
    [
        ("address", ("action", "address")),
        ("node.paths.persistent_path", ("node", "persistent_path")),
        ("node.paths.ephemeral_path", ("node", "ephemeral_path")),
        ("node.paths.bigstore_path", ("node", "bigstore_path")),
        ("node.paths.ccs_persistent_path", ("node", "ccs_persistent_path")),
        ("node.identity.addr", ("node", "addr")),
        ("node.identity.rack_id", ("node", "rack_id")),
        ("node.identity.external_addr", ("node", "external_addr")),
        ("credentials.username", ("cluster", "username")),
        ("credentials.password", ("cluster", "password")),
        ("credentials", ("cluster", "username")),
    ],
)
def test_a_part_leads_to_its_field_or_the_nearest_one(action, part, place):
    step, field = steps.find_field(Draft(action=action), part)

    assert (step.name, field) == place


@pytest.mark.parametrize(
    ("action", "part", "field"),
    [
        (Action.CREATE, "cluster.name", "name"),
        (Action.CREATE, "license", "license"),
        (Action.CREATE, "policy.rack_aware", "rack_aware"),
        (Action.CREATE, "policy.default_shards_placement", "default_shards_placement"),
        (Action.CREATE, "dns_suffixes.1.name", "dns_suffixes"),
        (Action.JOIN, "cluster.nodes", "members"),
        (Action.JOIN, "cnm_https_port", "port"),
        (Action.JOIN, "node.identity.uid", "uid"),
        (Action.RECOVER, "recovery_filename", "recovery_filename"),
        (Action.RECOVER, "cluster.name", "name"),
        (Action.RECOVER, "node.identity.uid", "uid"),
    ],
)
def test_a_part_of_one_action_leads_to_its_field(action, part, field):
    assert steps.find_field(Draft(action=action), part)[1] == field


@pytest.mark.parametrize("part", ["", "nonsense", "required_version"])
def test_an_unknown_part_leads_nowhere(part):
    assert steps.find_field(Draft(action=Action.CREATE), part) is None


def change_url(maria, step):
    return re.search(rf'href="(/setup/[^"]+/{step}/\?from=review)#', maria.page.content.decode())[1]


def test_a_changed_answer_leads_back_to_the_review(maria, fresh_node):
    maria.to_review(fresh_node)
    url = change_url(maria, "action")
    page = maria.open(url).content.decode()
    assert ">Save</button>" in page
    assert f'hx-post="/setup/{maria.draft.pk}/action/probe/"' in page

    saved = maria.client.post(url, maria.fields)

    assert saved["Location"] == f"/setup/{maria.draft.pk}/review/"


def test_a_change_leads_to_the_step_that_it_makes_incomplete(maria, fresh_node):
    maria.to_review(fresh_node)
    url = change_url(maria, "action")
    maria.open(url)

    saved = maria.client.post(url, maria.fields | {"action": "join_cluster"})

    assert saved["Location"] == f"/setup/{maria.draft.pk}/cluster/?from=review"


def test_a_conditional_field_is_not_marked_optional(maria, fresh_node):
    maria.approve(fresh_node)

    maria.open(maria.url)

    assert "Other internal address (optional)" not in maria.text
    assert "Other internal address" in maria.text
    assert "Rack ID (optional)" in maria.text
