"""The whole demo at its default pace, and an operator with a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.demos import Demo

PASSWORD = "Correct-horse-7-battery"


class Operator:
    def __init__(self, page: Page, demo: Demo):
        self.page, self.demo = page, demo
        page.set_default_timeout(15_000)
        expect.set_options(timeout=15_000)

    def open(self, path="/setup/"):
        self.page.goto(f"http://127.0.0.1:{self.demo.port}{path}")

    def press(self, name):
        self.page.get_by_role("button", name=re.compile(name)).first.click()

    def approve(self):
        self.page.get_by_label("The fingerprints match").check()

    def next(self, step):
        self.page.get_by_role("button", name=re.compile("^(Next|Review|Save)")).click()
        expect(self.page).to_have_url(re.compile(f"/{step}/$"))

    def sign_in_to_the_cluster(self, password):
        self.page.get_by_label("Password", exact=True).fill(password)

    def start(self):
        self.page.get_by_label("I have read this").check()
        self.page.get_by_role("button", name="Start", exact=True).click()
        expect(self.page).to_have_url(re.compile("/attempts/[0-9a-f-]{36}/$"))

    def accept_checks(self, reason):
        """Wait for the checks, and accept what can be accepted."""
        expect(self.page.get_by_role("button", name="Check again")).to_be_visible(timeout=15_000)
        for tick in self.page.locator("#checks input[type=checkbox]").all():
            tick.check()
        for typed in self.page.locator("#checks input[name^='reason:']").all():
            typed.fill(reason)

    def create(self, node):
        row = self.page.locator(".listed", has_text=node)
        row.get_by_role("button", name="Set up this node alone").click()
        self.approve()
        self.page.get_by_label("Trust the new certificate").check()
        self.next("node")
        self.next("cluster")
        self.page.get_by_label("Cluster name").fill("redis-prod.example.com")
        self.page.get_by_label("User name", exact=True).fill("admin@example.com")
        self.sign_in_to_the_cluster(PASSWORD)
        self.page.get_by_label("Repeat password").fill(PASSWORD)
        self.next("review")
        self.start()

    def watch(self, until):
        """Follow the page without touching it until its headline contains `until`; return the stages in their order."""
        seen = []
        headline = self.page.locator("#panel .state")
        current = self.page.locator('.stages [aria-current="step"] > div')
        while True:
            try:
                stage = current.first.inner_text(timeout=1500).splitlines()[0].split(":")[0].strip()
            except Exception:  # noqa: BLE001 - no stage is active any more, or the panel was just replaced
                stage = None
            if stage and stage not in seen:
                seen.append(stage)
            if until in headline.inner_text():
                return seen
            assert "Failed" not in headline.inner_text() or "Failed" in until, self.page.inner_text("main")

    @property
    def stages(self):
        """Each stage as (title, mark, time it took)."""
        rows = self.page.locator(".stages > li").all()
        return [
            (
                row.locator("> div").inner_text().split(":")[0].splitlines()[0].strip(),
                row.get_attribute("class").split()[0],
                row.locator("time, .took").inner_text().strip(),
            )
            for row in rows
        ]


@pytest.fixture
def operator(page, demo):
    return Operator(page, demo)
