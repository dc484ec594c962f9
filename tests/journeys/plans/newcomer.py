"""The shortest way from the link of the demo to a running cluster, for tests, counts and pictures."""

import re

from playwright.sync_api import expect

from tests.journeys.plans.conftest import CLUSTER, Planner

USERNAME = "admin@example.com"


class Newcomer(Planner):
    """Somebody who opens the link of the demo, and sets up a cluster of all its nodes."""

    password = ""
    cluster_url = ""

    @property
    def count(self):
        return len(self.demo.nodes)

    def steps(self):
        """Go the whole way; gives the name of each state of the pages that a person looks at."""
        page, count = self.page, self.count
        page.goto(self.demo.link)
        yield "home"
        self.click(page.get_by_role("link", name="Set up a cluster"))
        expect(page.get_by_role("checkbox", checked=True)).to_have_count(count)
        yield "nodes"
        self.press("^Check nodes$")
        self.wait_for_answers()
        expect(page.get_by_text("Ready to set up")).to_have_count(count)
        yield "checked"
        self.paste((self.demo.path / "var" / "demo" / "fingerprints").read_text())
        yield "pasted"
        self.press("^Next")
        expect(page).to_have_url(re.compile("/cluster/$"))
        yield "cluster"
        self.fill(page.get_by_label("Cluster name"), CLUSTER)
        self.click(page.get_by_label("Trust the new certificate"))
        self.fill(page.get_by_label("User name", exact=True), USERNAME)
        yield "named"
        self.press("^Generate")
        self.password = page.get_by_label("Password", exact=True).input_value()
        yield "password"
        self.review()
        yield "review"
        self.start()
        self.expect_headline(f"Node 1 of {count}")
        yield "first"
        for number in range(2, count + 1):
            self.expect_headline(f"Node {number} of {count}", seconds=120)
            yield "next" if number < count else "last"
        self.expect_headline(f"{count} of {count} nodes are active" if count > 1 else "The node is active")
        yield "succeeded"
