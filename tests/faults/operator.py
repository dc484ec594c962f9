"""Maria, in a process of her own: presses Start and other buttons as she is told on stdin, a JSON object a line.

Each answer is one line on stdout. What the pages do beside it (forms, permissions) is tried elsewhere.
"""

import json
import sys
from datetime import timedelta
from uuid import UUID, uuid4

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from setup_wizard.access.roles import Role, assign  # noqa: E402
from setup_wizard.attempts import engine, preflight, vault  # noqa: E402
from setup_wizard.attempts.choices import Choice  # noqa: E402
from setup_wizard.bootstrap.actions import Action  # noqa: E402
from setup_wizard.bootstrap.request import (  # noqa: E402
    BootstrapRequest,
    ClusterIdentity,
    Credentials,
    Identity,
    NodeIdentity,
    Paths,
)
from setup_wizard.bootstrap.secret import Secret  # noqa: E402
from setup_wizard.clusters import engine as runs_engine  # noqa: E402
from setup_wizard.clusters import plans  # noqa: E402
from setup_wizard.clusters.document import read_document  # noqa: E402
from setup_wizard.clusters.engine import RunChoice  # noqa: E402
from setup_wizard.nodes import trust  # noqa: E402
from setup_wizard.nodes.address import Address  # noqa: E402
from setup_wizard.nodes.probe import probe  # noqa: E402


def start(maria, *, node, cluster, password, member="", path="", accept_new_certificate=True):
    """Do what the wizard does at Start; the certificates, of a member to join too, are approved on the way."""
    seen, asked = approve(maria, node), approve(maria, member) if member else None
    action = Action.JOIN if asked else Action.CREATE
    setup = preflight.NodeSetup(
        address=seen.address,
        request=BootstrapRequest(
            action=action,
            cluster=ClusterIdentity(nodes=(asked.endpoint.ip,)) if asked else ClusterIdentity(name=cluster),
            node=NodeIdentity(paths=Paths(persistent_path=path), identity=Identity(addr=seen.endpoint.ip)),
            cnm_https_port=asked.endpoint.port if asked else None,
        ),
        fingerprint=seen.certificate.fingerprint,
        members=(asked.address,) if asked else (),
        member_fingerprint=asked.certificate.fingerprint if asked else None,
        accept_new_certificate=accept_new_certificate and not asked,
    )
    draft = uuid4()
    vault.seal(draft, sign_in(password), expires_at=timezone.now() + timedelta(minutes=15))
    reviewed = preflight.Reviewed(findings=preflight.Findings(node=seen, member=asked))
    return {"attempt": str(engine.begin(setup, reviewed, secret_id=draft, by=maria).pk)}


def start_run(maria, *, nodes, cluster, password):
    """Plan a cluster of these nodes, approve their certificates, and start its run."""
    seen = [approve(maria, node) for node in nodes]
    planned = [
        {"address": node, "fingerprint": each.certificate.fingerprint, "addr": each.endpoint.ip}
        for node, each in zip(nodes, seen, strict=True)
    ]
    document = {"cluster": {"name": cluster}, "accept_new_certificate": True, "nodes": planned}
    plan = plans.add(read_document(document), by=maria)
    plans.store_credentials(plan, sign_in(password), by=maria)
    return {"run": str(runs_engine.begin_run(plan, version=plan.version, secret_id=plan.pk, by=maria).pk)}


def approve(maria, address):
    seen = probe(Address.parse(address))
    trust.approve(seen.endpoint, seen.certificate, by=maria)
    return seen


def sign_in(password):
    return Credentials(username="admin@example.com", password=Secret(password))


def choose(maria, *, attempt, choice, **words):
    if choice == "credentials":
        credentials, anyway = sign_in(words["password"]), words.get("send_anyway", False)
        return {"state": engine.give_credentials(UUID(attempt), credentials, by=maria, send_anyway=anyway).state}
    if choice == "approve-certificate":
        return {"state": engine.approve_certificate(UUID(attempt), **words, by=maria).state}
    return {"state": engine.choose(UUID(attempt), Choice(choice), by=maria).state}


def choose_run(maria, *, run, choice, password=""):
    credentials = sign_in(password) if password else None
    return {"state": runs_engine.choose(UUID(run), RunChoice(choice), by=maria, credentials=credentials).state}


def wait(_maria):
    """Answer, and wait for the next line."""
    return {}


def main():
    maria, _ = User.objects.get_or_create(username="maria")
    assign(maria, Role.OPERATOR)  # a run looks at the permission of who started it
    for line in sys.stdin:
        asked = json.loads(line)
        do = {"start": start, "start_run": start_run, "choose": choose, "choose_run": choose_run, "wait": wait}[
            asked.pop("do")
        ]
        try:
            answer = do(maria, **asked)
        except Exception as refused:  # noqa: BLE001 - told to the test, which decides
            answer = {"error": f"{type(refused).__name__}: {refused}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
