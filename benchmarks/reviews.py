"""Reviews of a join, with nodes that answer and with nodes that hang: `python -m benchmarks.reviews DIRECTORY`.

Prints for both the seconds of the page while everything is pending, and of all checks, as JSON. A round counts only
if the checks found what they must: nodes that answer pass all of them, from the connection to the node's own check, and
hanging ones fail. The database of the environment must have its tables.
"""

import json
import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402 - needs the settings

from setup_wizard.access.roles import Role, assign  # noqa: E402
from setup_wizard.attempts.preflight import Level, stored_runs  # noqa: E402
from tests.reference_node.running import start_node  # noqa: E402
from tests.wizard.conftest import PASSWORD, Browser, bootstrap, trust_node, wait_until_member  # noqa: E402

ROUNDS = 5
NAME = "redis-prod.example.com"
ASKED = ("reachable", "member", "sign_in", "administrator", "cluster_name", "cluster_busy", "rack", "validation")


def measure(place):
    """Give the seconds of the page and of all checks for each round: with nodes that answer, and with hanging ones."""
    with (
        start_node(place / "member", bind="127.0.0.2", pace=0.02) as member,
        start_node(place / "node") as node,
    ):
        bootstrap(member, "create_cluster", {"cluster": {"name": NAME}})
        wait_until_member(member)
        maria = Browser(assign(User.objects.create_user("maria"), Role.OPERATOR))
        to_review(maria, node, member)
        wait(maria)
        answering = [review(maria, dict.fromkeys(ASKED, Level.PASSED)) for _ in range(ROUNDS)]
        silent = {"reachable": Level.FAILED, "member": Level.FAILED, "validation": Level.NOT_CHECKED}
        with stopped(node), stopped(member):
            hanging = [review(maria, silent) for _ in range(ROUNDS)]
    return answering, hanging


def to_review(maria, node, member):
    trust_node(node, by=maria.user)
    trust_node(member, by=maria.user)
    maria.to_cluster(node, "join_cluster")
    answers = {"members": member.bind, "port": str(member.port), "username": "admin@example.com", "password": PASSWORD}
    maria.fill(**answers)
    if not maria.url.endswith("/review/"):
        raise SystemExit(f"no review: {maria.text}")


def review(maria, expected):
    """Check again; give the seconds of the page, None if no check was pending any more, and of the checks."""
    url = f"/setup/{maria.draft.pk}"
    begun = time.monotonic()
    maria.client.post(f"{url}/checks/again/")
    asked = time.monotonic()
    page = maria.client.get(f"{url}/review/").content.decode()
    took = time.monotonic() - asked
    outcomes = wait(maria)
    ended = time.monotonic() - begun
    found = {each.name: each.result.level for each in outcomes}
    if wrong := {name: found.get(name) for name, level in expected.items() if found.get(name) != level}:
        raise SystemExit(f"not the checks that are measured: {wrong}")
    return took if "Checks are running." in page else None, ended


def wait(maria):
    """Wait until every check has a result, and give them."""
    draft = maria.draft
    while (run := stored_runs.read(draft.pk, draft.version)).is_pending:
        time.sleep(0.01)
    return run.outcomes


@contextmanager
def stopped(node):
    """Let a node accept connections and never answer."""
    os.kill(node.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(node.pid, signal.SIGCONT)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
