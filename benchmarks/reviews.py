"""Reviews of a join, with nodes that answer and with nodes that hang: `python -m benchmarks.reviews DIRECTORY`.

Prints for both the seconds of the page while everything is pending, and of all checks, as JSON. The database of the
environment must have its tables.
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
from setup_wizard.attempts.preflight import stored_runs  # noqa: E402
from tests.reference_node.running import start_node  # noqa: E402
from tests.wizard.conftest import PASSWORD, Browser, bootstrap, wait_until_member  # noqa: E402

ROUNDS = 5
NAME = "redis-prod.example.com"


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
        answering = [review(maria) for _ in range(ROUNDS)]
        with stopped(node), stopped(member):
            hanging = [review(maria) for _ in range(ROUNDS)]
    return answering, hanging


def to_review(maria, node, member):
    maria.to_cluster(node, "join_cluster")
    answers = {"members": member.bind, "port": str(member.port), "username": "admin@example.com", "password": PASSWORD}
    maria.fill(**answers)
    maria.fill(member_fingerprints_match="on")
    if not maria.url.endswith("/review/"):
        raise SystemExit(f"no review: {maria.text}")


def review(maria):
    """Check again; give the seconds of the page while everything is pending, and of the checks."""
    url = f"/setup/{maria.draft.pk}"
    begun = time.monotonic()
    maria.client.post(f"{url}/checks/again/")
    asked = time.monotonic()
    page = maria.client.get(f"{url}/review/").content.decode()
    took = time.monotonic() - asked
    if "Checks are running." not in page:
        took = 0.0  # they were faster than the page
    wait(maria)
    return took, time.monotonic() - begun


def wait(maria):
    draft = maria.draft
    while stored_runs.read(draft.pk, draft.version).is_pending:
        time.sleep(0.01)


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
