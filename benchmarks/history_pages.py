"""Time every page over past attempts, and the same questions to Django's own administration.

`python -m benchmarks.history_pages ROUNDS [WORD]` prints JSON: for each page whose name has the word its name, and the
times of ours and of the alternative, as `Visitor.measure` gives them. The database of the environment must have been
filled by `benchmarks.history_rows`.
"""

import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from statistics import median
from time import perf_counter
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import include, path

from benchmarks.history_rows import DAYS
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.clusters.models import Cluster
from setup_wizard.history.search import Column, Period

LIST, ADMIN, STOCK = "/attempts/", "/admin/attempts/attempt/", "/stock/attempts/attempt/"
SLOW = 2000.0  # an alternative that takes longer is asked once


@dataclass(frozen=True)
class Page:
    name: str
    url: str
    peer: str = ""


class StockSite(AdminSite):
    enable_nav_sidebar = False

    def has_permission(self, request):
        return request.user.is_active


class StockAdmin(ModelAdmin):
    """What one would register without further thought."""

    list_display = ["address", "cluster_name", "state", "error_code", "requested_by", "created_at", "duration"]
    list_filter = ["state", "action", "error_code", "reason", "created_at"]
    search_fields = ["address", "host", "cluster_name", "member_address", "error_code", "reason"]
    list_select_related = ["requested_by"]
    list_per_page = 25

    def has_view_permission(self, request, obj=None):
        del obj
        return request.user.is_active


stock = StockSite(name="stock")
stock.register(Attempt, StockAdmin)
urlpatterns = [path("", include(settings.ROOT_URLCONF)), path("stock/", stock.urls)]


def pages():
    """Every page, each filter alone and with a range of dates, searches and orders."""
    ended = Attempt.objects.exclude(ended_at=None).order_by("-created_at")
    newest, failed = ended[0], ended.filter(state=State.FAILED)[0]
    old = ended.filter(created_at__lt=newest.created_at - timedelta(days=DAYS / 2))[0]
    succeeded = ended.filter(state=State.SUCCEEDED)[0]
    yield from plain_pages(newest, old, succeeded, failed)
    range_of_dates = days(old.created_at)
    filters = [*filters_of(old)]
    for name, query, peer in filters:
        yield Page(name, to(LIST, query), to(STOCK, peer) if peer is not None else "")
    for name, query, peer in filters:
        if not {"from", "period"} & set(query):
            within = None if peer is None else peer | range_of_stock(old.created_at)
            yield Page(f"{name}, range", to(LIST, query | range_of_dates), to(STOCK, within) if within else "")
    for name, query, _ in filters:
        if not {"from", "period"} & set(query):
            yield Page(f"{name}, last 30 days", to(LIST, query | {"period": Period.MONTH.value}))
    words = [*searches(old)]
    for name, text in words:
        yield Page(f"search: {name}", to(LIST, {"q": text}), to(STOCK, {"q": text}))
        yield Page(f"search: {name}, range", to(LIST, {"q": text} | range_of_dates))
        yield Page(f"search: {name}, failed", to(LIST, {"q": text, "state": "failed"}))
    for column in Column:
        for sign in ("", "-"):
            name, query = f"sort: {sign}{column.value}", {"sort": f"{sign}{column.value}"}
            yield Page(name, to(LIST, query), to(STOCK, {"o": f"{sign}{STOCK_ORDER[column]}"}))
            yield Page(f"{name}, failed", to(LIST, query | {"state": "failed"}))
            yield Page(f"{name}, range", to(LIST, query | range_of_dates))
            yield Page(f"{name}, search", to(LIST, query | {"q": old.cluster_name}))
            yield Page(f"{name}, common word", to(LIST, query | {"q": "redis"}))
            yield Page(f"{name}, second page", to(LIST, query | {"after": str(old.pk)}))
    yield from administration(words, old)


STOCK_ORDER = {Column.WHEN: 6, Column.NODE: 1, Column.CLUSTER: 2, Column.DURATION: 7}
ADMIN_ORDER = {Column.WHEN: 6, Column.NODE: 1, Column.CLUSTER: 2, Column.DURATION: 7}


def plain_pages(newest, old, succeeded, failed):
    yield Page("clusters, first visit", "/clusters/")
    yield Page("clusters", "/clusters/")
    yield Page("home", "/")
    yield Page("setup", "/setup/")
    yield Page("attempts", LIST, STOCK)
    yield Page("attempts, after half of them", to(LIST, {"after": str(old.pk)}), to(STOCK, {"p": "20000"}))
    yield Page("attempts, refreshed", to(f"{LIST}rows/", {"seen": "x"}))
    for name, attempt in (("newest", newest), ("old", old), ("succeeded", succeeded), ("failed", failed)):
        yield Page(f"attempt, {name}", f"{LIST}{attempt.pk}/")
    yield Page("figures", f"{LIST}figures/")
    yield Page("figures, 7 days", to(f"{LIST}figures/", {"days": "7"}))
    yield Page("figures, a year ago", to(f"{LIST}figures/", {"to": old.created_at.date().isoformat()}))
    yield Page("report, HTML", f"{LIST}{failed.pk}/report/")
    yield Page("report, JSON", f"{LIST}{failed.pk}/report.json")
    yield Page("compare", to(f"{LIST}compare/", {"a": str(old.pk), "b": str(failed.pk)}))
    if cluster := Cluster.objects.first():
        yield Page("cluster", f"/clusters/{cluster.pk}/")


def filters_of(old):
    """Give each filter: its name, the query of our list, and of the stock administration."""
    for state in State:
        yield f"state {state.value}", {"state": state.value}, {"state__exact": state.value}
    yield "state moving", {"state": "moving"}, None
    for action in ("create_cluster", "join_cluster", "recover_cluster"):
        yield f"action {action}", {"action": action}, {"action__exact": action}
    for code in ("config_error", "internal_error", "none_such"):
        yield f"code {code}", {"code": code}, {"error_code": code}
    for reason in ("node_error", "unreachable", "trust", "fault"):
        yield f"reason {reason}", {"reason": reason}, {"reason": reason}
    for person in ("person-000", "person-149", "unknown"):
        yield f"started by {person}", {"user": person}, None
    yield "software version", {"version": "8.0.6-54"}, None
    yield "node", {"node": old.address}, None
    yield "cluster", {"cluster": old.cluster_name}, None
    yield "the largest cluster", {"cluster": "redis-10000.eu-west.example.com"}, None
    yield "not reviewed", {"reviewed": "no"}, None
    yield "reviewed", {"reviewed": "yes"}, None
    for period in Period:
        yield f"period {period.value}", {"period": period.value}, None
    yield "range of dates", days(old.created_at), range_of_stock(old.created_at)
    yield "two filters", {"state": "failed", "action": "join_cluster"}, {"state": "failed", "action": "join_cluster"}
    yield "three filters", {"state": "failed", "action": "create_cluster", "user": "person-149"}, None
    yield "two filters, nothing", {"state": "succeeded", "reason": "unreachable"}, None
    yield "not reviewed, failed", {"state": "failed", "reviewed": "no"}, None


def searches(old):
    yield "long name", old.cluster_name
    yield "word in each row", "redis"
    yield "common word", "example.com"
    yield "rare host", f"node-{old.cluster_name[8:12]}"
    yield "prefix of an address", old.address.rpartition(".")[0] + "."
    yield "short prefix", "10.1."
    yield "address", old.address
    yield "one character", "r"
    yield "one digit", "1"
    yield "two characters", "re"
    yield "two, in no row", "zz"
    yield "error code", "access_denied"
    yield "two words", f"{old.cluster_name} node"
    yield "two common words", "redis lab"
    yield "in no row", "nowhere"


def administration(words, old):
    yield Page("admin: start", "/admin/")
    yield Page("admin: list", ADMIN, STOCK)
    yield Page("admin: page 20", to(ADMIN, {"p": "20"}), to(STOCK, {"p": "20"}))
    yield Page("admin: attempt", f"{ADMIN}{old.pk}/change/")
    day = range_of_stock(old.created_at)
    for name, query in (
        *((f"state {state.value}", {"state__exact": state.value}) for state in State),
        ("action", {"action__exact": "recover_cluster"}),
        ("error code", {"error_code": "config_error"}),
        ("person", {"user": "person-149"}),
        ("not reviewed", {"reviewed": "no"}),
        ("reviewed", {"reviewed": "yes"}),
    ):
        yield Page(f"admin: {name}", to(ADMIN, query))
        yield Page(f"admin: {name}, range", to(ADMIN, query | day))
    for name, text in words:
        yield Page(f"admin search: {name}", to(ADMIN, {"q": text}), to(STOCK, {"q": text}))
        yield Page(f"admin search: {name}, failed", to(ADMIN, {"q": text, "state__exact": "failed"}))
    for column, place in ADMIN_ORDER.items():
        for sign in ("", "-"):
            yield Page(f"admin sort: {sign}{column.value}", to(ADMIN, {"o": f"{sign}{place}"}))
            yield Page(f"admin sort: {sign}{column.value}, search", to(ADMIN, {"o": f"{sign}{place}", "q": "redis"}))
            yield Page(
                f"admin sort: {sign}{column.value}, failed",
                to(ADMIN, {"o": f"{sign}{place}", "state__exact": "failed"}),
            )


def days(moment):
    first = moment.date() - timedelta(days=15)
    return {"from": first.isoformat(), "to": (first + timedelta(days=29)).isoformat()}


def range_of_stock(moment):
    first = datetime.combine(moment.date(), datetime.min.time(), UTC) - timedelta(days=15)
    return {"created_at__gte": first.isoformat(" "), "created_at__lt": (first + timedelta(days=30)).isoformat(" ")}


def to(address, query):
    return f"{address}?{urlencode(query)}" if query else address


class Visitor:
    """A browser of an administrator, without the browser."""

    def __init__(self):
        settings.ROOT_URLCONF = __name__
        self.pids = [pid for pid in (os.getpid(), backend()) if pid and Path(f"/proc/{pid}/schedstat").exists()]
        self.client = Client(raise_request_exception=False)
        self.client.force_login(assign(User.objects.create_user("ada", is_superuser=True), Role.ADMINISTRATOR))
        self.times("/setup/")  # the first page of a process imports its modules and reads templates

    def times(self, url):
        """Ask once; give the ms that passed, and those that this process and the database's were on a processor."""
        begun, begun_busy = perf_counter(), self.busy()
        answer = self.client.get(url)
        b"".join(answer) if answer.streaming else answer.content
        took, busy = perf_counter() - begun, self.busy() - begun_busy
        if answer.status_code == 500:  # the database gave up
            return inf, inf
        if answer.status_code not in {200, 302}:
            raise SystemExit(f"{url} answered {answer.status_code}")
        return took * 1000, busy * 1000

    def busy(self):
        """Give the seconds on a processor so far; 0 where the system does not tell (only Linux does)."""
        return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in self.pids) / 1e9

    def measure(self, page, rounds):
        """Give the medians in ms: of the time that passed, and of the time on a processor; a first visit is one."""
        is_first = page.name.endswith("first visit")
        if not is_first:
            self.times(page.url)
        passed, busy = zip(*(self.times(page.url) for _ in range(1 if is_first else rounds)), strict=True)
        peer = self.times(page.peer) if page.peer else (None, None)
        if page.peer and max(peer) < SLOW:  # the first one may have read from the disk
            peer = self.times(page.peer)
        return {"name": page.name, "passed": [median(passed), peer[0]], "busy": [median(busy), peer[1]]}


def backend():
    """Find the process of PostgreSQL that answers this one; None on SQLite, and when it is on another machine."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def main(rounds, wanted):
    visitor = Visitor()
    visitor.times("/admin/password_change/")  # imports and templates
    return [visitor.measure(page, rounds) for page in pages() if wanted in page.name]


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), *sys.argv[2:3] or [""])))
