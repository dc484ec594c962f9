"""Codes about the request and the node itself, found by the checks of the review and fixed before Start."""

import shutil

import pytest

from tests.journeys.error_codes.test_requests import TEST_LICENSE
from tests.wizard.conftest import ADMIN

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]


def test_review_finds_a_foreign_address_and_uses_one_of_the_node(checking_site, setup, creating):
    node = checking_site.node()
    creating(node, addr="other", other_addr="127.0.0.250")

    setup.find("The node does not list 127.0.0.250 among its addresses")

    setup.fix(f"Use {node.bind}", filled_in=node.bind, check="Internal address")
    setup.succeed_at_once()


def test_review_finds_a_missing_folder_and_uses_the_path_of_the_node(checking_site, setup, creating, tmp_path):
    node, absent = checking_site.node(), f"{tmp_path}/absent/storage"
    own = f"{tmp_path}/{node.bind}/persist"
    creating(node, persistent_path=absent)

    setup.find(f"{absent} cannot be used", ("Persistent storage", absent, "a directory of redislabs"))

    setup.fix(f"Use {own}", filled_in=own, check="The node's own check")
    setup.succeed_at_once()


def test_review_finds_a_license_for_another_name_and_renames(checking_site, setup, creating):
    creating(checking_site.node(), license=TEST_LICENSE)

    setup.find(
        "The license is for another cluster", ("Cluster name", "redis-prod.example.com", "redis-test.example.com")
    )

    name = "redis-test.example.com"
    setup.fix(f"Rename to {name}", filled_in=name, check="The node's own check")
    setup.succeed_at_once()


def test_review_finds_a_password_that_is_not_in_the_recovery_file(checking_site, setup, tmp_path):
    member = checking_site.cluster("redis-lost.example.com")
    file = shutil.copy(tmp_path / member.bind / "persist" / "ccs" / "ccs-redis.rdb", tmp_path / "ccs-redis.rdb")
    member.kill()
    known = {"recovery_filename": str(file), "username": ADMIN[0]}
    setup.fill(checking_site.node(), "recover_cluster", password="not-the-password-1", **known)

    setup.find("Credentials do not match the file", ("Account", ADMIN[0], "not in the file"))

    setup.fix("Enter the password again")
    setup.succeed_at_once()
