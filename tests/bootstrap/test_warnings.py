import pytest

from setup_wizard.bootstrap.rules import (
    warn_address,
    warn_cluster_name,
    warn_password,
    warn_paths,
    warn_sizing,
    warn_username,
    warn_version,
)
from setup_wizard.bootstrap.status import NodeFacts
from tests.bootstrap.samples import REAL_ANSWER

FACTS = NodeFacts.from_json(REAL_ANSWER["local_node_info"])
GIB = 2**30


def test_a_local_name_is_fine_for_a_trial_only():
    assert "fine for a trial" in warn_cluster_name("redis.LOCAL")[0]
    assert warn_cluster_name("redis-prod.example.com") == []
    assert warn_cluster_name("redis.local.example.com") == []


def test_a_plain_username_is_warned_of_and_an_address_is_not():
    assert "admin is no e-mail address" in warn_username("admin")[0]
    assert warn_username("admin@example.com") == []
    assert warn_username("") == []


@pytest.mark.parametrize(
    ("password", "warning"),
    [
        ("Aa1!", "8 characters"),
        ("lower-case-1", "an upper-case letter"),
        ("UPPER-CASE-1", "a lower-case letter"),
        ("No-digit-here", "a digit"),
        ("NoSpecial1", "a special character"),
        ("Admin1@example.com", "the user name"),
        ("moc.elpmaxe@1nimdA", "the user name"),
        ("Repeaaaat-1", "more than three times"),
    ],
)
def test_a_weak_password_is_told_what_it_lacks_without_showing_it(password, warning):
    warnings = " ".join(warn_password(password, "Admin1@example.com"))

    assert warning in warnings
    assert password not in warnings
    assert "would refuse it" in warnings


@pytest.mark.parametrize("password", ["Correct-Horse-9", "Aaaa1!bb"[1:] + "A", ""])
def test_a_strong_password_and_none_at_all_are_not_warned_of(password):
    assert warn_password(password, "admin@example.com") == []


def test_an_address_on_a_bridge_or_on_another_machine_is_warned_of():
    assert "br7, a bridge" in warn_address("192.168.7.1", FACTS)[0]
    assert (
        "does not list 10.0.0.9 among its own addresses: 10.0.0.7 and 192.168.7.1."
        in warn_address("10.0.0.9", FACTS)[0]
    )
    assert warn_address("10.0.0.7", FACTS) == []
    assert warn_address("10.0.0.9", NodeFacts()) == []
    assert warn_address("not an address", FACTS) == []


@pytest.mark.parametrize(
    ("facts", "warnings"),
    [
        ({"total_memory": 2 * GIB}, ["2 GiB of memory here; even a trial needs 4 GiB."]),
        ({"total_memory": 4.1 * GIB}, ["4.1 GiB of memory here: enough for a trial; production needs 8 GiB."]),
        ({"total_memory": 7.7 * GIB}, []),
        ({"total_memory": 24137}, []),
        ({"cores": 1}, ["1 core here: enough for a trial; production needs 2."]),
        ({"persistent_storage_size": 5 * GIB}, ["5 GiB of persistent storage here; even a trial needs 10 GiB."]),
        ({}, []),
        (REAL_ANSWER["local_node_info"], []),
    ],
)
def test_a_small_node_is_told_what_it_is_enough_for(facts, warnings):
    assert warn_sizing(NodeFacts.from_json(facts)) == warnings


def test_shared_paths_are_warned_of():
    assert "/mnt/data" in warn_paths("/mnt/data", "/mnt/data")[0]
    assert warn_paths("/mnt/data", "/mnt/tmp") == warn_paths("", "") == []


@pytest.mark.parametrize(
    ("driver", "version", "count"),
    [
        ("rocksdb", "7.22.0-216", 1),
        ("rocksdb", "7.8.2-1", 1),
        ("rocksdb", "7.4.2-54", 0),
        ("", "7.22.0-216", 0),
        ("rocksdb", None, 0),
        ("rocksdb", "?", 0),
    ],
)
def test_a_driver_is_warned_of_where_the_version_has_another_word(driver, version, count):
    assert len(warn_version(driver, version)) == count
