"""A cluster of three from fresh nodes, as the operator does it: create, join, and a join with a mistyped password."""

import re

import pytest
from playwright.sync_api import expect

from tests.faults.canary import find, read_files
from tests.faults.conftest import accepted
from tests.journeys.conftest import PASSWORD
from tests.reading import check_for_everybody

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

FINISHED = re.compile(r"^\d+(\.\d)? s$")


def test_a_cluster_of_three_with_a_mistyped_password_is_set_up(operator, demo, complaints):
    first, second, third = (node["address"] for node in demo.nodes)
    operator.page.goto(demo.link)
    expect(operator.page.get_by_text("Ready to set up")).to_have_count(3)
    check_for_everybody(operator.page)

    create(operator, first)
    join_prefilled(operator, second, member=first)
    mistype_the_password(operator, third)
    mend_it(operator)
    find_all_three(operator, first, second, third)

    assert complaints == []
    assert [len(accepted(node)) for node in demo.nodes] == [1, 1, 1]


def create(operator, node):
    """Every stage passes by itself, and the end says what to do next."""
    operator.create(node)

    seen = operator.watch(until="Your cluster is up")

    assert [stage for stage in seen if stage in {"Initiated", "Creating the cluster"}] == [
        "Initiated",
        "Creating the cluster",
    ]
    titles, marks, times = zip(*operator.stages, strict=True)
    assert titles[:3] == ("Queued", "Validated by the node", "Sent to the node")
    assert titles[3:] == ("Initiated", "Creating the cluster", "Checked with the cluster")
    assert set(marks) == {"done"}
    assert all(FINISHED.match(time) for time in times), times
    expect(operator.page.get_by_role("heading", name="What to do next")).to_be_visible()
    check_for_everybody(operator.page)


def join_prefilled(operator, node, *, member):
    """Members, port, certificate and user name come from the attempt before."""
    page = operator.page
    operator.press(f"^Join {re.escape(node)}")
    expect(page.get_by_label("Node address")).to_have_value(node)
    expect(page.get_by_label("Join a cluster")).to_be_checked()
    operator.approve()
    check_for_everybody(page)
    operator.next("node")
    check_for_everybody(page)
    operator.next("cluster")
    expect(page.get_by_label(re.compile("Members|Addresses of|in the cluster")).first).to_have_value(
        member.rpartition(":")[0]
    )
    expect(page.get_by_label("User name", exact=True)).to_have_value("admin@example.com")
    operator.sign_in_to_the_cluster(PASSWORD)
    check_for_everybody(page)
    operator.next("review")
    check_for_everybody(page)
    operator.start()

    seen = operator.watch(until="The node has joined the cluster")

    assert "Joining the cluster" in seen
    assert {mark for _, mark, _ in operator.stages} == {"done"}


def mistype_the_password(operator, node):
    """The member refuses the password once, while the setup is reviewed; the node is sent nothing."""
    operator.press(f"^Join {re.escape(node)}")
    operator.approve()
    operator.next("node")
    operator.next("cluster")
    operator.sign_in_to_the_cluster(f"mistyped-{PASSWORD}")
    operator.next("review")

    expect(operator.page.get_by_text("The cluster refused admin@example.com with this password")).to_be_visible()
    expect(operator.page.get_by_text("A check blocks Start.")).to_be_visible()
    check_for_everybody(operator.page)


def mend_it(operator):
    """The check leads to the field, and the right password is accepted."""
    operator.page.get_by_role("link", name="Enter the password again").first.click()
    expect(operator.page.get_by_label("User name", exact=True)).to_have_value("admin@example.com")
    operator.sign_in_to_the_cluster(PASSWORD)
    operator.next("review")
    operator.start()

    operator.watch(until="The node has joined the cluster")


def find_all_three(operator, first, second, third):
    operator.open("/attempts/")
    rows = operator.page.locator("table.list tbody tr")
    expect(rows).to_have_count(3)

    told = [re.sub(r"\s+", " ", text) for text in rows.all_inner_texts()]
    assert [text.split()[0] for text in told] == [third, second, first]
    assert all("admin" in text and "redis-prod.example.com" in text for text in told)
    times = rows.locator("time[data-when]")
    expect(times).to_have_text([re.compile("just now|ago")] * 3)
    times.first.click()
    expect(rows.first).to_contain_text(re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d:\d\d"))
    check_for_everybody(operator.page)


def test_the_password_is_in_no_file_of_the_demo(demo):
    """Database, journal, broker and logs, in clear and in the encodings in which it is sent."""
    kept = read_files(demo.path / "var")

    assert find(kept, {"password": PASSWORD}) == {}
    assert {"demo.sqlite3", "worker.log", "web.log", "journal.jsonl"} <= {name.rpartition("/")[2] for name in kept}
