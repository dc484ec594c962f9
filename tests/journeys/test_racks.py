"""A rack-aware cluster from the pages alone: options, a password made up in the browser, and what the cluster says."""

import re

import pytest
from playwright.sync_api import expect

from tests.reading import check_for_everybody
from tests.reference_node.conftest import Caller

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

GROUPED = re.compile(r"^[A-Za-z2-9]{5}(-[A-Za-z2-9]{5}){3}$")
LICENSE_PART = "----- LICENSE START -----\nabc\n"


def test_a_rack_aware_cluster_is_created_from_the_pages(operator, demo, complaints, tmp_path):
    page, node = operator.page, demo.nodes[0]["address"]
    page.goto(demo.link)
    open_storage(operator, node)
    next_is_in_view(page)
    open_every_group(page)
    check_for_everybody(page)
    ask_for_a_rack(operator)
    operator.next("cluster")
    next_is_in_view(page)
    open_every_group(page)
    password = make_up_a_password(page)
    check_for_everybody(page)
    read_a_file(page, tmp_path)

    page.get_by_label("Cluster name").fill("redis-racks.example.com")
    page.get_by_label("User name", exact=True).fill("admin@example.com")
    page.get_by_label("Private and public endpoints").check()
    operator.next("review")

    answers = page.locator("dl.answers").all_inner_texts()
    assert re.search(r"Rack-aware cluster\s+yes\s", " ".join(answers))
    assert re.search(r"Rack ID\s+rack-a\s", " ".join(answers))
    assert password not in page.content()
    operator.start()
    operator.watch(until="Your cluster is up")
    caller, sign_in = Caller(node), ("admin@example.com", password)
    assert caller.get("/v1/cluster", auth=sign_in).json()["rack_aware"] is True
    [listed] = caller.get("/v1/nodes", auth=sign_in).json()
    assert listed["rack_id"] == "rack-a"
    assert [text for text in complaints if "422" not in text] == []  # the rejected form


def open_storage(operator, node):
    operator.page.locator(".listed", has_text=node).get_by_role("button", name="Set up this node alone").click()
    operator.approve()
    operator.page.get_by_label("Trust the new certificate").check()
    next_is_in_view(operator.page)
    operator.next("node")


def next_is_in_view(page):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate("scrollTo(0, 0)")
    expect(page.get_by_role("button", name=re.compile("^Next"))).to_be_in_viewport(ratio=1)


def open_every_group(page):
    page.evaluate("document.querySelectorAll('main details').forEach((details) => (details.open = true))")


def ask_for_a_rack(operator):
    """Without a rack ID the choice is refused at the field."""
    page = operator.page
    page.get_by_label("Rack-aware cluster").check()
    operator.press("^Next")
    expect(page.locator("#id_rack_id_message")).to_contain_text("Every node of a rack-aware cluster needs a rack ID.")
    expect(page.get_by_label("Rack-aware cluster")).to_be_checked()
    page.locator("#id_rack_id").fill("rack-a")


def make_up_a_password(page):
    first, second = page.get_by_label("Password", exact=True), page.get_by_label("Repeat password")
    page.get_by_role("button", name="Generate").click()
    expect(first).to_have_attribute("type", "text")
    expect(first).to_have_value(GROUPED)
    expect(second).to_have_value(first.input_value())
    expect(page.get_by_text("Strength: strong.")).to_be_visible()
    expect(page.get_by_role("button", name="Copy the password")).to_be_visible()
    return first.input_value()


def read_a_file(page, directory):
    """A file that is chosen fills in the text box, where it is checked."""
    file = directory / "license.txt"
    file.write_text(LICENSE_PART)
    page.get_by_label("License file").set_input_files(file)
    box = page.locator("#id_license")
    expect(box).to_have_value(LICENSE_PART)
    expect(page.locator("#id_license_message")).to_contain_text("is missing")
    box.fill("")
