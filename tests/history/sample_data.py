"""Write sample data to DATABASE_URL; prints JSON: a session key of each user, and what fills in paths of pages.

python -m tests.history.sample_data
"""

import json
import os
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - after the setup
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from setup_wizard.access.roles import Role, assign  # noqa: E402
from setup_wizard.attempts.models import Attempt, Event  # noqa: E402
from setup_wizard.attempts.states import Reason, State  # noqa: E402
from setup_wizard.bootstrap.secret import Secret  # noqa: E402
from setup_wizard.clusters import plans  # noqa: E402
from setup_wizard.clusters.document import read_document  # noqa: E402
from setup_wizard.clusters.models import Cluster, ClusterNode, Run, RunEvent  # noqa: E402
from setup_wizard.history import reviews  # noqa: E402
from setup_wizard.monitoring import heartbeats  # noqa: E402
from setup_wizard.monitoring.models import Heartbeat  # noqa: E402
from setup_wizard.nodes.models import TrustedCertificate  # noqa: E402
from setup_wizard.notifications import outbox, secrets  # noqa: E402
from setup_wizard.notifications.models import Delivery, DeliveryState, Format, Webhook  # noqa: E402
from setup_wizard.notifications.secrets import WebhookSecrets  # noqa: E402
from tests.attempts.attempt_rows import add_attempt, add_refused  # noqa: E402


def main():
    maria = assign(User.objects.create_user("maria", password="seven quiet otters"), Role.OPERATOR)
    rosa = assign(User.objects.create_user("rosa"), Role.REVIEWER)
    people = [
        maria,
        rosa,
        assign(User.objects.create_user("ada"), Role.ADMINISTRATOR),
        User.objects.create_user("nils"),
    ]
    for number in range(30):
        add_attempt(maria, f"10.0.1.{number}:9443", minutes_ago=60 * 24 * number + 90, took=16 + 40 * number)
    refused = add_refused(maria, "10.0.0.7:9443", minutes_ago=30, took=4)
    moving = add_attempt(maria, "10.0.0.8:9443", minutes_ago=2, state=State.IN_PROGRESS)
    waiting = add_attempt(
        maria,
        "[2001:db8::15]:9443",
        minutes_ago=20,
        state=State.NEEDS_OPERATOR,
        reason=Reason.SUPERSEDED,
        cluster="a-cluster-with-a-rather-long-name.region-west.example.com",
    )
    # nothing listens at this address, so a page may try to find the cluster of this node
    member = add_attempt(
        maria, "127.0.0.1:9", minutes_ago=40, took=2, state=State.FAILED, reason=Reason.ALREADY_IN_CLUSTER
    )
    unfinished = add_things_to_do(Attempt.objects.get(address="10.0.1.3:9443"))
    reviews.write(
        Attempt.objects.filter(pk=refused.pk), by=rosa, note="A typo; maria knows.\nNothing to fix.", mark=True
    )
    for host, port in (("10.0.0.7", 9443), ("127.0.0.1", 9)):
        TrustedCertificate.objects.create(
            address=f"{host}:{port}", host=host, fingerprint=":".join(["AB"] * 32), approved_by=maria
        )
    # in the future, so that the pages do not say that the supervisor is down
    Heartbeat.objects.create(part=heartbeats.SUPERVISOR, at=timezone.now() + timedelta(days=365))
    paths = {"moving": str(moving.pk), "refused": str(refused.pk), "waiting": str(waiting.pk), "member": str(member.pk)}
    paths |= {"unfinished": str(unfinished.pk), "run": str(add_run(maria).pk), "cluster": str(add_cluster().pk)}
    paths["webhook"] = f"/notifications/webhooks/{add_webhook().pk}/"
    print(json.dumps(paths | {person.username: session_of(person) for person in people}))


def add_webhook():
    """Add a webhook whose receiver answered the last message with an error."""
    webhook = Webhook(name="Operations", format=Format.SLACK, host="hooks.example.com")
    secrets.seal(webhook, WebhookSecrets(Secret("https://hooks.example.com/services/1"), secrets.make_key()))
    webhook.save()
    delivery = outbox.make_test(webhook)
    Delivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.GIVEN_UP,
        next_try_at=None,
        tried_at=timezone.now(),
        tries=1,
        duration=0.21,
        status_code=503,
        error="The receiver answered 503.",
        answer="Service unavailable",
    )
    return webhook


def add_run(person):
    """Add a run of two nodes that has just been started."""
    nodes = [{"address": f"10.0.3.{number}:9443", "addr": f"10.0.3.{number}"} for number in (1, 2)]
    plan = plans.add(read_document({"cluster": {"name": "redis-eu.example.com"}, "nodes": nodes}), by=person)
    run = Run.objects.create(plan=plan, started_by=person, last_seq=1)
    RunEvent.objects.create(run=run, seq=1, kind="started", message="Started by maria: 2 nodes", by=person)
    return run


def add_cluster():
    """Add a cluster of two nodes, of which an attempt set up the first."""
    cluster = Cluster.objects.create(name="redis-us.example.com", fingerprint=":".join(["CD"] * 32))
    attempts = [Attempt.objects.get(address="10.0.1.2:9443"), None]
    for number, attempt in enumerate(attempts, start=1):
        ClusterNode.objects.create(
            cluster=cluster, uid=str(number), addr=f"10.0.4.{number}", status="active", attempt=attempt
        )
    return cluster


def add_things_to_do(attempt):
    """Let a succeeded attempt have everything that can be left to do after a success."""
    attempt.facts, attempt.node_uid, attempt.last_seq = {"software_version": "8.0.6-54"}, "1", 3
    attempt.request = attempt.request | {"node": {"identity": {"rack_id": "rack-a", "accept_servers": False}}}
    attempt.save()
    warning = {"warning_type": "module_download_failed", "message": "HTTP 404", "module": "graph"}
    for seq, (kind, data) in enumerate((("rack_awareness", {"rack_aware": False}), ("bootstrap_warning", warning)), 2):
        Event.objects.create(attempt=attempt, seq=seq, kind=kind, message=f"The node reports {kind}", data=data)
    return attempt


def session_of(person):
    browser = Client()
    browser.force_login(person)
    return browser.cookies["sessionid"].value


main()
