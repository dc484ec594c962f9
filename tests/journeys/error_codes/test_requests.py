"""Codes about the request and the node itself: `config_error`, `path_error`, `invalid_license`, `internal_error`, and
`access_denied`, which a node says of a recovery file."""

import shutil

import pytest

from setup_wizard.reference_node.license import License, write_license
from tests.wizard.conftest import ADMIN

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

TEST_LICENSE = write_license(License(cluster="redis-test.example.com", expires=4_000_000_000, shards=10))


def test_config_error_of_a_foreign_address_uses_one_of_the_node(site, setup, creating):
    node = site.node()
    creating(node, addr="other", other_addr="127.0.0.250")

    setup.fail("The node rejected a setting", ("Internal address", "127.0.0.250", node.bind))

    assert setup.buttons == [f"Use {node.bind}", "Change the address", "Start again"]
    setup.press(f"Use {node.bind}", filled_in=node.bind)
    setup.succeed()


def test_path_error_of_a_missing_folder_uses_the_path_of_the_node(site, setup, creating, tmp_path, complaints):
    node, absent = site.node(), f"{tmp_path}/absent/storage"
    own = f"{tmp_path}/{node.bind}/persist"
    creating(node, persistent_path=absent)

    setup.fail(f"{absent} cannot be used", ("Persistent storage", absent, "a directory of redislabs"))

    steps = setup.page.locator(".why ol li code").all_inner_texts()
    assert steps[:2] == [f"sudo mkdir -p {absent}", f"sudo chown redislabs: {absent}"]
    setup.press(f"Use {own}", filled_in=own)
    setup.succeed()
    assert complaints == []


def test_invalid_license_for_another_name_renames_the_cluster(site, setup, creating):
    creating(site.node(), license=TEST_LICENSE)

    setup.fail(
        "The license is for another cluster", ("Cluster name", "redis-prod.example.com", "redis-test.example.com")
    )

    fixes = ["Rename to redis-test.example.com", "Paste the license again", "Use the 30-day trial"]
    assert setup.buttons == [*fixes, "Start again"]
    setup.press("Rename to redis-test.example.com", filled_in="redis-test.example.com")
    setup.succeed()


def test_internal_error_starts_again_once_the_disk_is_mended(site, setup, creating, tmp_path):
    node = site.node()
    obstacle = tmp_path / node.bind / ".certificate.pem.new"
    obstacle.mkdir()
    creating(node)

    setup.fail("Internal error on the node", ("Software", "7.22.0-216"))

    obstacle.rmdir()
    setup.press("Start again")
    setup.succeed()


def test_access_denied_by_a_recovery_file_asks_for_the_password(site, setup, tmp_path):
    member = site.cluster("redis-lost.example.com")
    file = shutil.copy(tmp_path / member.bind / "persist" / "ccs" / "ccs-redis.rdb", tmp_path / "ccs-redis.rdb")
    member.kill()
    setup.fill(
        site.node(), "recover_cluster", recovery_filename=str(file), username=ADMIN[0], password="not-the-password-1"
    )

    setup.fail("Credentials do not match the file", ("Account", ADMIN[0], "not in the file"))

    setup.press("Enter the password again")
    setup.succeed()
