"""Open pages update themselves, in a real browser: attempts, runs, clusters, the list and the home page."""

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.serving import add_sample_data, on_tables, served

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

LONG = "redisproductioncluster".ljust(51, "x") + ".example.com"


@pytest.fixture(scope="module")
def site(tmp_path_factory, file_with_tables):
    """A site with attempts in it; `change` writes to its database as a worker would."""
    directory = tmp_path_factory.mktemp("site")
    environment = on_tables(file_with_tables, directory)
    sample = add_sample_data(environment)

    def change(statement, *values):
        with closing(sqlite3.connect(directory / "rows.sqlite3", timeout=20)) as database, database:
            database.execute(statement, values)

    with served(environment) as address:
        yield {"address": address, "change": change, **sample}


@pytest.fixture
def come(context, page, site):
    def open_page(address, who="maria"):
        context.add_cookies([{"name": "sessionid", "value": site[who], "url": site["address"]}])
        page.goto(site["address"] + address.format(**site))
        return page

    return open_page


@pytest.fixture(autouse=True)
def moving(site):
    """The attempt on 10.0.0.8, at work."""
    site["change"](
        "UPDATE attempts_attempt SET state='in_progress', ended_at=NULL, last_seq=1 WHERE address='10.0.0.8:9443'"
    )


def end(site, address="10.0.0.8:9443"):
    """Let the attempt on this node succeed."""
    site["change"](
        "UPDATE attempts_attempt SET state='succeeded', ended_at=created_at, last_seq=last_seq+1 WHERE address=?",
        address,
    )


def icon(page):
    return page.locator("head link[rel=icon]")


def test_title_and_icon_follow_an_attempt_that_succeeds(page, come, site, complaints):
    come("/attempts/{moving}/")
    expect(page).to_have_title("Creating the cluster · 10.0.0.8:9443")
    expect(icon(page)).to_have_attribute("href", re.compile("icons/live"))

    end(site)

    expect(page).to_have_title("Your cluster is up · 10.0.0.8:9443", timeout=10_000)
    expect(icon(page)).to_have_attribute("href", re.compile("icons/good"))
    expect(icon(page)).to_have_count(1)
    assert complaints == []


def test_page_of_a_run_follows_it_without_a_reload(page, come, site, complaints):
    come("/plans/{run}/")
    page.evaluate("window.sameDocument = true")
    expect(page).to_have_title("Starting · redis-eu.example.com")
    expect(icon(page)).to_have_attribute("href", re.compile("icons/live"))
    expect(page.get_by_role("button", name="Pause after this node")).to_be_visible()

    pause(site)

    expect(page.locator("#run .state").first).to_have_text("Paused", timeout=10_000)
    expect(page.get_by_text("Paused before the next node").first).to_be_visible()
    expect(page.get_by_role("button", name="Enter the credentials again")).to_be_visible()
    expect(page).to_have_title("Paused · redis-eu.example.com")
    expect(icon(page)).to_have_attribute("href", re.compile("icons/warn"))
    expect(icon(page)).to_have_count(1)
    assert page.evaluate("window.sameDocument")
    assert complaints == []


def pause(site):
    """Let the run pause as somebody had asked, with its event."""
    run, now = site["run"].replace("-", ""), "2026-11-29 12:00:00+00:00"
    event = "INSERT INTO clusters_runevent (run_id, seq, at, kind, message, data) VALUES (?, 2, ?, 'paused', ?, '{}')"
    site["change"](event, run, now, "Paused before the next node")
    changed = "UPDATE clusters_run SET state='paused', reason='requested', paused_at=?, last_seq=2 WHERE plan_id=?"
    site["change"](changed, now, run)


def test_page_of_a_cluster_follows_it_without_a_reload(page, come, site, complaints):
    come("/clusters/{cluster}/")
    page.evaluate("window.sameDocument = true")
    status = page.locator("#cluster-nodes tbody tr", has_text="10.0.4.2").locator(".state")
    expect(status).to_have_text("active")
    add_nodes = page.get_by_role("button", name="Add nodes")
    add_nodes.focus()

    lose_a_node(site)

    expect(status).to_have_text("down", timeout=10_000)
    expect(page.locator("#cluster-problems")).to_contain_text("tcp_connectivity")
    expect(add_nodes).to_be_focused()
    assert page.evaluate("window.sameDocument")
    assert complaints == []


def lose_a_node(site):
    """Let somebody else's check of the cluster find that its second node is down."""
    cluster = site["cluster"].replace("-", "")
    site["change"]("UPDATE clusters_clusternode SET status='down' WHERE cluster_id=? AND uid='2'", cluster)
    found = "UPDATE clusters_cluster SET problems=?, checked_at='2026-11-29 12:00:00+00:00', checked_by_id=1 WHERE id=?"
    site["change"](found, '[["2", "tcp_connectivity failed"]]', cluster)


def test_without_a_script_the_page_reloads_itself(browser, site):
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": site["maria"], "url": site["address"]}])
    page = context.new_page()
    page.goto(f"{site['address']}/attempts/{site['moving']}/")

    end(site)

    expect(page).to_have_title("Your cluster is up · 10.0.0.8:9443", timeout=10_000)
    context.close()


def test_an_open_list_updates_and_keeps_filter_focus_and_scroll(page, come, site, complaints):
    come("/attempts/?q=10.0.0")
    page.evaluate("window.sameDocument = true")
    row = page.locator("table.list tbody tr", has_text="10.0.0.8")
    expect(row).to_contain_text("ing the cluster")
    row.get_by_role("link").focus()
    place = row.bounding_box()

    end(site)

    expect(row).to_contain_text("Succeeded", timeout=10_000)
    expect(row.get_by_role("link")).to_be_focused()
    expect(page.get_by_label("Search")).to_have_value("10.0.0")
    assert row.bounding_box()["y"] == place["y"]
    assert page.evaluate("window.sameDocument")
    assert complaints == []


def test_a_refresh_of_the_list_does_not_disturb_typing(page, come, site):
    come("/attempts/")
    search = page.get_by_label("Search")
    search.press_sequentially("10.0.0", delay=20)
    expect(page.locator("table.list tbody tr")).to_have_count(2)
    before = search.bounding_box()

    with page.expect_response(re.compile("/attempts/rows/"), timeout=10_000):
        end(site)

    search.press_sequentially(".8", delay=20)
    expect(search).to_have_value("10.0.0.8")
    expect(search).to_be_focused()
    expect(page.locator("table.list tbody tr")).to_have_count(1)
    assert search.bounding_box() == before


def test_the_search_box_does_not_move_without_results(page, come):
    come("/attempts/")
    search = page.get_by_label("Search")
    before = search.bounding_box()

    search.press_sequentially("nowhere", delay=20)

    expect(page.get_by_text("No attempt matches.")).to_be_visible()
    assert search.bounding_box() == before


def test_typed_credentials_survive_a_panel_without_their_form(page, come, site, complaints):
    def move(state):
        site["change"](
            "UPDATE attempts_attempt SET state=?, reason='credentials_refused', last_seq=last_seq+1 WHERE id=?",
            state,
            site["waiting"].replace("-", ""),
        )

    move("needs_operator")
    come("/attempts/{waiting}/")
    page.get_by_label("User name", exact=True).fill("root@example.com")
    page.get_by_label("Password", exact=True).fill("seven quiet otters")
    move("needs_operator")
    expect(page.locator("input[name=after]")).to_have_value("3", timeout=10_000)
    expect(page.get_by_label("Password", exact=True)).to_have_value("seven quiet otters")

    move("in_progress")
    expect(page.get_by_label("Password", exact=True)).to_have_count(0, timeout=10_000)
    move("needs_operator")

    expect(page.get_by_label("User name", exact=True)).to_have_value("root@example.com", timeout=10_000)
    expect(page.get_by_label("Password", exact=True)).to_have_value("seven quiet otters")
    assert complaints == []


def test_the_home_page_follows_a_setup_that_ends(page, come, site, complaints):
    come("/setup/")
    running = page.locator("#open-setups")
    expect(running).to_contain_text("10.0.0.8:9443")

    end(site)

    expect(running).not_to_contain_text("10.0.0.8:9443", timeout=10_000)
    assert complaints == []


def test_a_long_name_makes_no_page_wider_than_its_window(page, come, site):
    site["change"]("UPDATE attempts_attempt SET cluster_name=?, error_code=?", LONG, "x" * 64)
    for path in ("/attempts/", "/attempts/{refused}/", "/attempts/{moving}/", "/setup/"):
        come(path)
        for width in (1280, 1030, 800, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
