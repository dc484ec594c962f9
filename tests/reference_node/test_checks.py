"""Why a newcomer is refused, and which failed node it may replace."""

import pytest

from setup_wizard.reference_node.checks import check_newcomer
from setup_wizard.reference_node.errors import BootstrapFailed
from setup_wizard.reference_node.membership import Cluster, Member

NOW = 1_900_000_000.0
CLUSTER = Cluster("redis-prod.example.com", "maria@example.com", "hash", "secret", "2030-03-17T00:00:00Z")
SETTINGS = {"socket_directory": "/run", "install_dir": "/opt", "config_dir": "/etc/opt", "os_user": "redislabs"}


def member(uid, status="active", **changes):
    values = {"memory": 16, "flash": 0, "joined_at": NOW, **SETTINGS, **changes}
    return Member(f"install-{uid}", uid, f"10.0.0.{uid}", 9443, status, **values)


def refusal(members, newcomer, *, replaces=None, cluster=CLUSTER):
    with pytest.raises(BootstrapFailed) as refused:
        check_newcomer(cluster, members, newcomer, replaces=replaces, now=NOW)
    return refused.value.failure


def test_a_newcomer_that_fits_is_accepted():
    check_newcomer(CLUSTER, [member(1), member(2)], member(3), replaces=None, now=NOW)


@pytest.mark.parametrize(("seconds", "fits"), [(30.0, True), (-30.0, True), (30.1, False), (-30.1, False)])
def test_thirty_seconds_of_difference_are_tolerated(seconds, fits):
    newcomer = member(2, joined_at=NOW + seconds)

    if fits:
        check_newcomer(CLUSTER, [member(1)], newcomer, replaces=None, now=NOW)
    else:
        assert refusal([member(1)], newcomer).code == "time_not_sync"


def test_every_failed_node_is_named():
    failure = refusal([member(1), member(2, "down", rack_id="rack-b"), member(3, "down")], member(4))

    assert failure.details["failed_nodes"] == [{"uid": 2, "rack_id": "rack-b"}, {"uid": 3}]


@pytest.mark.parametrize(
    ("newcomer", "candidate"),
    [
        ({"memory": 64, "flash": 9}, 2),
        ({"memory": 32, "flash": 9}, 3),
        ({"memory": 32, "flash": 0}, 4),
        ({"memory": 64, "flash": 9, "rack_id": "rack-c"}, 4),
        ({"memory": 1}, 2),
    ],
    ids=["any", "less memory", "no flash", "its rack", "none fits"],
)
def test_the_replace_candidate_fits_the_newcomer_and_its_rack(newcomer, candidate):
    members = [
        member(1),
        member(2, "down", memory=64, rack_id="rack-a"),
        member(3, "down", memory=32, flash=9, rack_id="rack-b"),
        member(4, "down", memory=16, rack_id="rack-c"),
    ]

    assert refusal(members, member(5, **newcomer)).details["replace_candidate"] == candidate


def test_one_failed_node_can_be_replaced_while_another_is_still_down():
    members = [member(1), member(2, "down"), member(3, "down")]

    check_newcomer(CLUSTER, members, member(4), replaces=3, now=NOW)


def test_a_replacement_without_a_rack_takes_over_the_failed_nodes():
    racked = Cluster(**{**vars(CLUSTER), "rack_aware": True})

    check_newcomer(racked, [member(1), member(2, "down", rack_id="rack-b")], member(3), replaces=2, now=NOW)

    assert refusal([member(1, rack_id="rack-a")], member(2), cluster=racked).code == "rack_id_required"


def test_a_newcomer_that_asks_again_is_not_refused_for_its_own_entry():
    members = [member(1), member(2, "down")]

    check_newcomer(CLUSTER, members, member(2), replaces=None, now=NOW)
