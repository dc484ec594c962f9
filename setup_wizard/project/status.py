"""Health and version in the administration: each state with a plain sentence."""

import platform
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

import redis
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from setup_wizard import __version__
from setup_wizard.access import times
from setup_wizard.access.permissions import Permission, needs
from setup_wizard.attempts import timing, vault
from setup_wizard.monitoring import health, heartbeats, metrics
from setup_wizard.monitoring.models import Heartbeat
from setup_wizard.worker.due_work import due_work

LATE = 5.0  # seconds after which a waiting tick is worth a remark
MAX_PORTS = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One state: its name, its value, a sentence about it, and a tone: "good", "warn", "bad" or none."""

    name: str
    value: str
    sentence: str = ""
    tone: str = ""


@needs(Permission.REVIEW)
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show what works, what waits, which versions run, and the settings that matter."""
    sections = [
        ("Parts", list(_parts())),
        ("Heartbeats", list(_heartbeats())),
        ("Work", list(_work())),
        ("Encryption", list(_encryption())),
        ("Versions", list(_versions())),
        ("Settings", list(_settings())),
    ]
    context = {**admin.site.each_context(request), "title": "Health and version", "sections": sections}
    return TemplateResponse(request, "monitoring/status.html", context)


_PARTS = {
    "database": ("Database", "It answers.", "It does not answer. Nothing can be read or started."),
    "broker": ("Queue", "Redis or Valkey answers.", health.QUEUE_DOWN.text),
    "supervisor": ("Supervisor", "It enqueues work when it is due.", health.SUPERVISOR_DOWN.text),
    "worker": ("Worker", "It runs tasks.", health.WORKER_DOWN.text),
    "broadcaster": ("Live updates", "This web process sends news to open pages.", health.BROADCASTER_DOWN.text),
}


def _parts() -> Iterator[Line]:
    for part, check in health.checks().items():
        name, works, fails = _PARTS[part]
        value = f"works, {check.ms:.0f} ms" if check.ok else "does not work"
        yield Line(name, value, works if check.ok else fails, "good" if check.ok else "bad")


def _heartbeats() -> Iterator[Line]:
    now = timezone.now()
    for beat in Heartbeat.objects.order_by("part"):
        stale = {heartbeats.WORKER: timing.CANARY_STALE}.get(beat.part, timing.HEARTBEAT_STALE)
        sentence = f"{beat.streams} open live streams." if beat.streams is not None else ""
        if beat.queue_lost_at:
            sentence = f"It has not reached the queue since {times.exact(beat.queue_lost_at)}."
        is_fresh = heartbeats.is_fresh(beat, stale, now)
        if not is_fresh and beat.part.startswith(heartbeats.WEB):
            sentence = "This web process has ended, or no live page is open."
            yield Line(beat.part, times.exact(beat.at), sentence)
        else:
            tone = "bad" if not is_fresh or beat.queue_lost_at else "good"
            late = f"Nothing for more than {_seconds(stale)}. {sentence}".strip()
            yield Line(beat.part, times.exact(beat.at), sentence if is_fresh else late, tone)


def _work() -> Iterator[Line]:
    count, waits = metrics.due_ticks()
    if not count:
        yield Line("Steps that are due", "0", "No attempt waits for a worker.", "good")
    elif waits < LATE:
        yield Line(
            "Steps that are due", str(count), f"The oldest has waited for {waits:.1f} s, which is usual.", "good"
        )
    else:
        late = f"The oldest has waited for {waits:.0f} s. Check that the worker runs, or start another one."
        yield Line("Steps that are due", str(count), late, "warn")
    if moment := due_work.next_at(timezone.now()):
        yield Line("Next work of runs and checks", times.exact(moment), "The supervisor enqueues it then.")
    if queued := metrics.queued():
        waiting, taken = queued
        lost = "If one is lost, its work starts a few seconds later."
        yield Line("Messages in the queue", f"{waiting} waiting, {taken} taken", lost)


def _encryption() -> Iterator[Line]:
    try:
        counts, without_key = vault.sealed_by_key()
    except vault.KeyUnusable as error:
        yield Line("Keys", "unusable", str(error), "bad")
        return
    older = sum(counts[1:])
    if len(counts) == 1:
        sentence = "It encrypts and decrypts the secrets in the database."
    elif older:
        sentence = f"The first encrypts. {older} encrypted secrets need another: run manage.py rotate_credentials."
    else:
        sentence = "The first encrypts, and no other is needed: you can remove them from SETUP_WIZARD_CREDENTIAL_KEYS."
    yield Line("Keys", str(len(counts)), sentence, "warn" if len(counts) > 1 else "good")
    held = "Credentials among them are deleted when they are no longer needed."
    yield Line("Encrypted secrets", str(sum(counts) + without_key), held)
    if without_key:
        missing = "No configured key decrypts them. Put the missing key back, or enter these secrets again."
        yield Line("Encrypted secrets without a key", str(without_key), missing, "bad")


def _versions() -> Iterator[Line]:
    yield Line("Cluster setup", __version__)
    yield Line("Python", platform.python_version())
    yield Line("Django", version("django"))
    yield Line("Celery", version("celery"))
    yield Line(*_database_version())
    yield Line(*_queue_version())


def _database_version() -> tuple[str, str]:
    if connection.vendor == "postgresql":
        number = int(getattr(connection, "pg_version", 0))
        return "PostgreSQL", f"{number // 10000}.{number % 10000}"
    return "SQLite", sqlite3.sqlite_version


def _queue_version() -> tuple[str, str]:
    client = health.broker_client()
    try:
        server = client.info("server")
    except (redis.RedisError, OSError):
        return "Redis or Valkey", "unknown: it does not answer"
    finally:
        client.close()
    if "valkey_version" in server:
        return "Valkey", str(server["valkey_version"])
    return "Redis", str(server.get("redis_version", "unknown"))


def _settings() -> Iterator[Line]:
    yield _switch(
        "SETUP_WIZARD_HTTPS", "Cookies are sent over HTTPS only.", "Pages can be opened without TLS.", good=True
    )
    for name, remark in (
        ("DEBUG", "Pages show tracebacks to everyone. Turn it off."),
        ("SETUP_WIZARD_DEMO", "One-time links sign people in. Turn it off in production."),
        ("SETUP_WIZARD_ALLOW_LOOPBACK", "Nodes may be on this machine itself. Turn it off in production."),
    ):
        yield _switch(name, remark, "As it should be in production.", good=False)
    if settings.SETUP_WIZARD_FAILPOINTS:
        yield Line("SETUP_WIZARD_FAILPOINTS", "set", "Processes kill themselves for tests. Remove it.", "bad")
    networks = ", ".join(settings.SETUP_WIZARD_ALLOWED_NETWORKS)
    here = " and on this machine" if settings.SETUP_WIZARD_ALLOW_LOOPBACK else ""
    yield Line("SETUP_WIZARD_ALLOWED_NETWORKS", networks, f"Nodes are reached in these networks{here} only.")
    ports = sorted(settings.SETUP_WIZARD_ALLOWED_PORTS)
    shown = ", ".join(map(str, ports[:MAX_PORTS])) + (f" and {len(ports) - MAX_PORTS} more" * (len(ports) > MAX_PORTS))
    yield Line("SETUP_WIZARD_ALLOWED_PORTS", shown, "Nodes are reached at these ports only.")
    deadline = settings.SETUP_WIZARD_DEADLINE_SECONDS
    yield Line("SETUP_WIZARD_DEADLINE_SECONDS", str(deadline), "After that many, an attempt waits for a decision.")
    seen = {"all": "Everyone with a role sees every attempt.", "own": "Operators see only their own attempts."}
    yield Line("SETUP_WIZARD_ATTEMPTS", settings.SETUP_WIZARD_ATTEMPTS, seen[settings.SETUP_WIZARD_ATTEMPTS])
    proxies = ", ".join(settings.SETUP_WIZARD_TRUSTED_PROXIES)
    trusted = "Client addresses are taken from what these proxies say."
    untrusted = "The audit log has the addresses of connections. Behind a proxy, that is the address of the proxy."
    yield Line("SETUP_WIZARD_TRUSTED_PROXIES", proxies or "none", trusted if proxies else untrusted)
    is_open = settings.SETUP_WIZARD_METRICS_TOKEN or settings.SETUP_WIZARD_METRICS_NETWORKS
    closed = "SETUP_WIZARD_METRICS_TOKEN or SETUP_WIZARD_METRICS_NETWORKS opens it for monitoring."
    yield Line("/metrics", "open" if is_open else "closed", "For its token or networks only." if is_open else closed)


def _switch(name: str, on: str, off: str, *, good: bool) -> Line:
    value = bool(getattr(settings, name))
    return Line(name, "on" if value else "off", on if value else off, "good" if value is good else "warn")


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s"
