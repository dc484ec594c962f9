"""`docker compose up`: a cluster of three from the browser, and each container killed while a setup runs.

Collected only when `COMPOSE` names an engine: `make compose-test`.
"""

import os
import random
import time

import pytest
from playwright.sync_api import expect

from tests.deploy.engines import ADDRESSES, Containers
from tests.faults.conftest import Client
from tests.journeys.conftest import Operator
from tests.journeys.test_cluster import create, find_all_three, join_prefilled, mend_it, mistype_the_password
from tests.project.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.faults, pytest.mark.timeout(900)]

SEED = int(os.environ.get("FAULTS_SEED") or random.randrange(10**6))
OURS = ("web", "worker", "supervisor")
THEIRS = ("db", "redis")
LONGEST = 6.0


@pytest.fixture(scope="module")
def containers():
    containers = Containers()
    try:
        yield containers.start()
    finally:
        containers.stop()


def test_the_link_in_the_log_leads_to_a_cluster_of_three(page, containers, complaints):
    operator = Operator(page, containers)
    page.goto(containers.printed_link)
    expect(page.get_by_text("Ready to set up")).to_have_count(3)

    create(operator, "node1:9443")
    join_prefilled(operator, "node2:9443", member=ADDRESSES["node1"])
    mistype_the_password(operator, "node3:9443")
    mend_it(operator)

    find_all_three(operator, *ADDRESSES.values())
    assert complaints == []
    # the member refused the mistyped password, so no node got a bootstrap with it
    assert [len(containers.accepted(node)) for node in ADDRESSES] == [1, 1, 1]


def test_our_containers_are_read_only_without_capabilities(containers):
    for service in (*OURS, *ADDRESSES):
        said = containers.run(
            service, "id -u; grep -E 'CapEff|NoNewPrivs' /proc/1/status; touch /app/here 2>&1 || true"
        )

        assert "10001" in said, service
        assert "CapEff:\t0000000000000000" in said, service
        assert "NoNewPrivs:\t1" in said, service
        assert "Read-only file system" in said, service


def test_the_queue_needs_its_password(containers):
    assert "NOAUTH" in containers.run("redis", "valkey-cli ping 2>&1 || true")


def test_no_secret_is_in_a_command_line_or_in_the_engine(containers):
    secrets = containers.secrets()
    assert len(secrets) == 6

    for service in (*OURS, *THEIRS, *ADDRESSES):
        # process 1 has the environment of the compose file
        known = containers.run(
            service, "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; tr '\\0' '\\n' </proc/1/environ"
        )
        assert [secret for secret in secrets if secret in known] == [], service


def test_a_node_sees_neither_database_nor_queue_nor_secrets(containers):
    script = "ls /run/setup-wizard 2>&1; for name in db redis; do getent hosts $name && echo found; done; true"

    said = containers.run("node1", script)

    assert "No such file" in said
    assert "found" not in said


@pytest.mark.parametrize("victim", [*OURS, *THEIRS, "node1"])
def test_a_killed_container_restarts_and_loses_nothing(containers, victim):
    containers.renew("node1")
    attempt = Client(containers).create("node1:9443", cluster=f"killed-{victim}.example.com")
    moment = random.Random(f"{SEED}{victim}").uniform(0, LONGEST)
    time.sleep(moment)  # the kill must come at this moment

    containers.kill(victim)

    told = f"seed {SEED}, after {moment:.1f} s"
    assert containers.await_state(attempt, seconds=120) == "succeeded", told
    assert len(containers.accepted("node1")) == 1, told
    numbers = [int(row[0]) for row in containers.read(f"SELECT seq FROM attempts_event WHERE attempt_id = '{attempt}'")]
    assert sorted(numbers) == list(range(1, len(numbers) + 1)), told
    assert containers.read(f"SELECT owner FROM attempts_sealedcredentials WHERE owner = '{attempt}'") == [], told
    assert "Your cluster is up" in page_of(containers, attempt)


def page_of(containers, attempt):
    """A page for an operator who signs in now, as soon as web responds."""

    def look():
        try:
            return Client(containers).get(f"/attempts/{attempt}/")
        except (OSError, AssertionError):
            return ""

    return wait_until(look, seconds=60)
