"""The rack of a node that joins is checked against the racks of its cluster."""

import pytest

from setup_wizard.attempts.preflight import Level
from setup_wizard.bootstrap.request import BootstrapRequest
from tests.attempts.join_findings import CLUSTER, a_node, a_reading, a_setup, findings, judge

RACK = "node.identity.rack_id"
DEGRADED = (a_node(1), a_node(2, status="down"), a_node(3))


def rack(reading, **identity):
    return judge("rack", a_setup(**identity), findings(reading))


def test_rack_aware_cluster_needs_a_rack_and_offers_a_new_one_first():
    found = rack(a_reading())

    assert (found.level, found.can_override, found.part) == (Level.FAILED, False, RACK)
    assert "Racks in use: rack-a, rack-b and rack-c." in found.message
    assert [remedy.label for remedy in found.remedies] == [
        "Join in a new rack",
        "Join in rack-a",
        "Join in rack-b",
        "Join in rack-c",
    ]
    assert (found.remedies[0].values, found.remedies[1].values) == ({}, {RACK: "rack-a"})
    (figure,) = found.figures
    assert (figure.here, figure.cluster, figure.needed) == ("none", "rack-a, rack-b and rack-c", "a rack ID")


@pytest.mark.parametrize(
    ("given", "level", "words"),
    [
        ("rack-d", Level.PASSED, f"rack-d is a new rack of {CLUSTER}"),
        ("rack-b", Level.WARNING, "rack-b is in use already"),
        ("RACK-B", Level.WARNING, "RACK-B is in use already"),
    ],
)
def test_used_rack_is_a_warning_and_a_new_one_passes(given, level, words):
    found = rack(a_reading(), rack_id=given)

    assert found.level is level
    assert words in found.message
    assert "Racks in use: rack-a, rack-b and rack-c." in found.message


@pytest.mark.parametrize(
    ("rack_aware", "given", "level", "words"),
    [
        (False, "", Level.PASSED, "needs no rack. Racks in use: rack-a"),
        (False, "rack-d", Level.WARNING, "no effect until rack awareness is turned on"),
        (None, "rack-d", Level.NOT_CHECKED, "does not report whether it is rack-aware"),
    ],
)
def test_cluster_without_rack_awareness_shows_its_racks(rack_aware, given, level, words):
    found = rack(a_reading(cluster={"rack_aware": rack_aware}), rack_id=given)

    assert found.level is level
    assert words in found.message


def test_replacement_takes_over_the_rack_of_the_old_node():
    assert "takes over rack-b" in rack(a_reading(*DEGRADED), uid=2).message
    assert rack(a_reading(*DEGRADED), uid=2).level is Level.PASSED
    assert rack(a_reading(*DEGRADED), uid=2, rack_id="Rack-B").level is Level.PASSED


def test_replacement_in_another_rack_is_offered_the_old_one():
    found = rack(a_reading(*DEGRADED), uid=2, rack_id="rack-d")

    assert (found.level, found.can_override) == (Level.FAILED, True)
    assert "Node 2 was in rack-b" in found.message
    assert [remedy.values for remedy in found.remedies] == [
        {RACK: "rack-b"},
        {"node.identity.override_rack_id": True},
    ]


@pytest.mark.parametrize(("given", "level"), [("rack-d", Level.PASSED), ("rack-a", Level.WARNING)])
def test_replacement_may_override_the_rack(given, level):
    assert rack(a_reading(*DEGRADED), uid=2, rack_id=given, override_rack_id=True).level is level


def test_values_of_remedies_are_fields_of_the_request():
    remedies = [*rack(a_reading()).remedies, *rack(a_reading(*DEGRADED), uid=2, rack_id="rack-d").remedies]

    for remedy in remedies:
        for path in remedy.values:
            model = BootstrapRequest
            for name in path.split("."):
                model = model.model_fields[name].annotation if name in model.model_fields else None
                if model is None:
                    pytest.fail(f"{path} is no field")
