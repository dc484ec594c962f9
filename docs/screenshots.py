"""Take a picture of each page in each state, light and dark, narrow and wide: `make screenshots`.

They go to var/screenshots/ as page-state-theme-width.png, and the top of some pages to docs/pictures/
for the documents. The pages come from a demo of its own, in a temporary directory.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import requests
from playwright.sync_api import Browser, expect, sync_playwright

from tests.chromium import launch_options
from tests.demos import Demo
from tests.faults.conftest import PASSWORD, Client
from tests.reference_node.running import start_node
from tests.serving import make_tables, on_tables, served

CHECKOUT = Path(__file__).resolve().parents[1]
SCREENSHOTS = CHECKOUT / "var" / "screenshots"
PICTURES = CHECKOUT / "docs" / "pictures"
THEMES = ("light", "dark")
WIDTHS = (360, 1280)
HEIGHT = 800
PLANS = [((13, 14, 15), 0.5), ((16, 17, 18), 20)]  # addresses and pace of the nodes of a plan and of a run
FAILS_AFTER_START = ("--no-validate", "--install-dir", "/opt/redis")
RACK_AWARE = {"rack_aware": "on", "rack_id-0": "rack-a", "name": "redis-ap.example.com"}


@dataclass(frozen=True)
class Screen:
    """A page in one state; `url_name` is the name of its URL pattern, "" for error pages."""

    url_name: str
    state: str
    path: str
    signed_in: bool = True

    @property
    def name(self) -> str:
        page = self.url_name.replace(":", "-").replace("_", "-") or "error"
        return f"{page}-{self.state}"


SCREENS = [
    Screen("access:sign-in", "empty", "{site}/sign-in/", signed_in=False),
    Screen("access:first-admin", "empty", "{new_site}/first-administrator/", signed_in=False),
    Screen("demo:sign-in", "used", "{used_link}", signed_in=False),
    Screen("access:password", "empty", "{site}/password/"),
    Screen("access:account", "empty", "{site}/account/"),
    Screen("wizard:home", "nodes", "{site}/setup/"),
    Screen("wizard:new", "empty", "{site}/setup/new/"),
    Screen("wizard:step", "action", "{action}"),
    Screen("wizard:step", "node", "{node}"),
    Screen("wizard:step", "cluster", "{cluster}"),
    Screen("wizard:review", "ready", "{review}"),
    Screen("clusters:new", "empty", "{site}/plans/new/"),
    Screen("clusters:nodes", "checked", "{plan_nodes}"),
    Screen("clusters:cluster", "empty", "{plan_cluster}"),
    Screen("clusters:review", "ready", "{plan_review}"),
    Screen("clusters:export", "texts", "{plan_export}"),
    Screen("clusters:run", "running", "{run}"),
    Screen("clusters:run", "paused", "{paused_run}"),
    Screen("clusters:run", "ended", "{ended_run}"),
    Screen("inventory:list", "clusters", "{site}/clusters/"),
    Screen("inventory:detail", "one-node", "{known_cluster}"),
    Screen("live:detail", "in-progress", "{site}/attempts/{in_progress}/"),
    Screen("live:detail", "succeeded", "{site}/attempts/{succeeded}/"),
    Screen("live:detail", "failed", "{site}/attempts/{failed}/"),
    Screen("live:detail", "needs-operator", "{site}/attempts/{needs_operator}/"),
    Screen("live:detail", "cancelled", "{site}/attempts/{cancelled}/"),
    Screen("history:list", "attempts", "{site}/attempts/"),
    Screen("history:list", "no-match", "{site}/attempts/?q=nowhere"),
    Screen("history:figures", "days", "{site}/attempts/figures/"),
    Screen("history:compare", "two", "{site}/attempts/compare/?a={succeeded}&b={failed}"),
    Screen("notifications:preferences", "off", "{site}/notifications/"),
    Screen("notifications:webhooks", "one", "{site}/notifications/webhooks/"),
    Screen("notifications:new", "empty", "{site}/notifications/webhooks/new/"),
    Screen("notifications:webhook", "tested", "{site}{webhook}"),
    Screen("notifications:change", "filled", "{site}{webhook}change/"),
    Screen("help", "all", "{site}/help/"),
    Screen("help-document", "clusters", "{site}/help/clusters/"),
    Screen("api:docs", "all", "{site}/api/v1/docs"),
    Screen("health", "all", "{site}/admin/health/"),
    Screen("admin:index", "all", "{site}/admin/"),
    Screen("admin:attempts_attempt_changelist", "all", "{site}/admin/attempts/attempt/"),
    Screen("admin:attempts_attempt_change", "failed", "{site}/admin/attempts/attempt/{failed}/change/"),
    Screen("admin:access_auditevent_changelist", "all", "{site}/admin/access/auditevent/"),
    Screen("admin:auth_user_changelist", "all", "{site}/admin/auth/user/"),
    Screen("admin:access_apitoken_changelist", "all", "{site}/admin/access/apitoken/"),
    Screen("admin:nodes_trustedcertificate_changelist", "all", "{site}/admin/nodes/trustedcertificate/"),
    Screen("", "not-found", "{site}/nowhere/"),
]
PICTURED = {
    "live-detail-succeeded": "attempt",
    "clusters-nodes-checked": "plan-nodes",
    "clusters-review-ready": "plan-review",
    "clusters-run-running": "run",
}
"""The screens in the documents, with the names of their pictures."""


class Api:
    """The demo's JSON API, to bring attempts into the states that are shown."""

    def __init__(self, demo: Demo) -> None:
        self._url = f"http://127.0.0.1:{demo.port}/api/v1"
        self._session = requests.Session()
        token = (demo.path / "var" / "demo" / "api-token").read_text().strip()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self._session.post(self._url + path, json=document, timeout=60)
        if not answer.ok:
            raise RuntimeError(answer.text)
        return answer.json()

    def start(self, address: str, *, member: str = "", accepts_new_certificate: bool = True, **more: object) -> str:
        """Create a cluster on a node, or join a member's; gives the attempt's id."""
        document: dict[str, Any] = {
            "address": address,
            "fingerprint": self.post("/probe", {"address": address})["fingerprint"],
            "accept_new_certificate": accepts_new_certificate,
            "bootstrap": {
                "action": "join_cluster" if member else "create_cluster",
                "node": {"identity": {"addr": address.rpartition(":")[0]}},
                "credentials": {"username": "admin@example.com", "password": PASSWORD},
                **more,
            },
        }
        if member:
            document["member_fingerprint"] = self.post("/probe", {"address": member})["fingerprint"]
            host, _, port = member.rpartition(":")
            document["bootstrap"] |= {"cluster": {"nodes": [host]}, "cnm_https_port": int(port)}
        return self.post("/attempts", document)["id"]

    def wait(self, what: str, state: str, *, of: str = "attempts", seconds: int = 300) -> str:
        deadline = time.monotonic() + seconds
        while (seen := self._session.get(f"{self._url}/{of}/{what}", timeout=60).json())["state"] != state:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} is {seen['state']} ({seen['reason']}), not {state}")
            time.sleep(0.2)
        return what


@contextmanager
def prepared() -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Start everything that is shown; gives what the paths are filled in with, and the cookies of who is signed in."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="screenshots-")))
        (place / "tables").mkdir()
        new_site = on_tables(make_tables(place / "tables.sqlite3"), place / "tables")
        shown = {"new_site": stack.enter_context(served(new_site))}
        # a network for documents: nothing is there, so that the test message of a webhook fails
        stack.enter_context(patch.dict(os.environ, {"SETUP_WIZARD_WEBHOOK_NETWORKS": "192.0.2.0/24"}))
        demo = Demo(place / "demo").start()
        stack.callback(demo.clean_up)

        def node(number: int, **options: Any) -> str:
            bind = f"127.0.0.{number}"
            return stack.enter_context(start_node(place / bind, bind=bind, port=demo.node_port, **options)).address

        api, client = Api(demo), Client(demo)
        first, second, third = (each["address"] for each in demo.nodes)
        slow = node(11, pace=600)
        other = node(12, options=FAILS_AFTER_START)
        prod, test = {"name": "redis-prod.example.com"}, {"name": "redis-test.example.com"}
        shown |= {
            "site": f"http://127.0.0.1:{demo.port}",
            "used_link": demo.link,
            "succeeded": api.wait(api.start(first, cluster=prod), "succeeded"),
            "failed": api.wait(api.start(other, member=first), "failed"),
            "in_progress": api.wait(api.start(slow, cluster=test), "in_progress"),
        }
        queued = api.start(second, cluster=test)  # the slow node is still creating it
        api.post(f"/attempts/{queued}/cancel")
        other_cluster = {"name": "redis-us.example.com"}
        unknown = api.start(node(19), accepts_new_certificate=False, cluster=other_cluster)
        shown |= {"cancelled": queued, "needs_operator": api.wait(unknown, "needs_operator")}
        shown |= {step: f"{shown['site']}{path}" for step, path in client.fill_in(third).items()}
        plans = [describe_cluster(client, [node(number, pace=pace) for number in numbers]) for numbers, pace in PLANS]
        shown |= {f"plan_{step}": f"{shown['site']}{path}" for step, path in plans[0].items()}
        client.submit(client.get(plans[1]["review"]), plans[1]["review"], accept_permanent="on")
        shown["run"] = f"{shown['site']}{client.path}"
        shown["paused_run"] = begin_run(client, [node(20), node(21, options=FAILS_AFTER_START)])
        shown["ended_run"] = begin_run(client, [node(22, options=("--ignore-policy",))], **RACK_AWARE)
        api.wait(shown["paused_run"], "paused", of="plans")
        api.wait(shown["ended_run"], "succeeded", of="plans")
        shown |= {name: f"{shown['site']}/plans/{shown[name]}/" for name in ("paused_run", "ended_run")}
        found = re.search(r'href="(/clusters/[0-9a-f-]{36}/)"', client.get("/clusters/"))
        shown["known_cluster"] = f"{shown['site']}{found[1]}"
        shown["webhook"] = add_webhook(client)
        yield shown, client.cookies


def add_webhook(client: Client) -> str:
    """Add a webhook and send it a test message, which fails; gives the path of its page."""
    path = "/notifications/webhooks/new/"
    url = "https://192.0.2.10/services/T0000/B0000/example"
    client.submit(client.get(path), path, name="Operations", format="slack", url=url, on_ended="on", is_enabled="on")
    found = re.search(r'href="(/notifications/webhooks/[0-9a-f-]{36}/)"', client.get("/notifications/webhooks/"))
    client.post(f"{found[1]}test/")
    return found[1]


def begin_run(client: Client, nodes: list[str], **fields: str) -> str:
    """Describe a cluster and press Start; gives the ID of the run."""
    review = describe_cluster(client, nodes, **fields)["review"]
    client.submit(client.get(review), review, accept_permanent="on")
    return client.path.strip("/").rpartition("/")[2]


def describe_cluster(client: Client, nodes: list[str], **fields: str) -> dict[str, str]:
    """Fill in the pages of a plan up to its review; gives the path of each."""
    client.post("/plans/new/", addresses=" ".join(nodes))
    paths = {"nodes": client.path}
    page = client.get(paths["nodes"])
    while "Checking…" in page:
        time.sleep(0.2)
        page = client.get(paths["nodes"])
    seen = "\n".join(re.findall(r'name="shown:[^"]*" value="([^"]*)"', page))
    page = client.submit(page, paths["nodes"], do="compare", pasted=seen)
    page = client.submit(page, paths["nodes"], do="next")
    paths["cluster"] = client.path
    credentials = {"username": "admin@example.com", "password": PASSWORD, "password_again": PASSWORD}
    addresses = {f"addr-{position}": node.rpartition(":")[0] for position, node in enumerate(nodes)}
    cluster = {"name": "redis-eu.example.com", "accept_new_certificate": "on"} | fields
    client.submit(page, paths["cluster"], **credentials, **addresses, **cluster)
    return paths | {"review": client.path, "export": client.path.replace("/review/", "/export/")}


def take(browser: Browser, screen: Screen, url: str, cookies: dict[str, str]) -> None:
    """Take the pictures of one screen."""
    host = {"domain": "127.0.0.1", "path": "/"}
    kept = [{"name": name, "value": value, **host} for name, value in cookies.items()] if screen.signed_in else []
    for theme in THEMES:
        for width in WIDTHS:
            size = {"width": width, "height": HEIGHT}
            context = browser.new_context(viewport=size, color_scheme=theme, storage_state={"cookies": kept})
            page = context.new_page()
            page.goto(url, wait_until="load")
            page.wait_for_timeout(300)  # until htmx has sent what the page loads afterwards
            expect(page.locator(".htmx-request")).to_have_count(0, timeout=30_000)
            page.screenshot(path=SCREENSHOTS / f"{screen.name}-{theme}-{width}.png", full_page=True)
            if screen.name in PICTURED and width == max(WIDTHS):
                page.screenshot(path=PICTURES / f"{PICTURED[screen.name]}-{theme}.png")
            context.close()


def main() -> None:
    """Take all of them."""
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir(parents=True)
    with prepared() as (shown, cookies), sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        for screen in SCREENS:
            print(screen.name, flush=True)  # noqa: T201 - it takes minutes
            take(browser, screen, screen.path.format(**shown), cookies)
        browser.close()


if __name__ == "__main__":
    main()
