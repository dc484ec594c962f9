"""Each form and call that takes a secret is used once, with nodes that quote it; then every place is searched."""

import re
import subprocess
import sys
from urllib.parse import quote, quote_plus

import pytest
from django.contrib.sessions.backends.db import SessionStore

from tests.client_certificates import Authority
from tests.faults import canary
from tests.faults.canary_product import running_product
from tests.faults.conftest import CHECKBOXES
from tests.project.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

CANARIES = {
    name: canary.make_canary(name)
    for name in (
        *("setup-wrong", "founder", "sign-in-wrong", "change-wrong", "changed"),
        *("wizard", "choice", "membership", "api", "api-choice", "api-wrong", "planted"),
    )
}
KEYS = {
    name: Authority().issue(f"{name}@example.com")
    for name in ("join-key", "wrong-key", "choice-key", "membership-key", "api-key", "api-choice-key", "api-wrong-key")
}
CANARIES |= {name: each.key.splitlines()[2] for name, each in KEYS.items()}  # half of the key, and more


@pytest.fixture(scope="module")
def product(kind, template):
    with running_product(kind, template) as product:
        yield product


@pytest.fixture(scope="module")
def driven(product):
    found_the_first_administrator(product)
    change_the_password(product)
    attempt = set_up_in_the_browser(product)
    set_up_by_the_api(product)
    join_by_certificate(product)
    look_at_everything(product, attempt)
    return product


def found_the_first_administrator(product):
    product.write("UPDATE auth_user SET is_superuser = ?", False)
    script = "from setup_wizard.access import first_admin; print(first_admin.create_token())"
    token = product.secrets["setup token"] = product.deployment.manage("shell", "-c", script).split()[-1]
    browser = product.browse("/first-administrator/")
    account = {"username": "ada", "password1": CANARIES["founder"], "password2": CANARIES["founder"]}
    browser.post("/first-administrator/", token=CANARIES["setup-wrong"], **account)
    browser.post("/first-administrator/", token=token, **account)
    assert product.database.read("SELECT id FROM auth_user WHERE username = 'ada'")
    product.write("UPDATE auth_user SET is_superuser = ?", True)


def change_the_password(product):
    browser = product.browse()
    browser.post("/sign-in/", username="ada", password=CANARIES["sign-in-wrong"])
    assert browser.status == 422 or "sign-in" in browser.path
    browser.post("/sign-in/", username="ada", password=CANARIES["founder"])
    new = {"new_password1": CANARIES["changed"], "new_password2": CANARIES["changed"]}
    browser.get("/password/")
    browser.post("/password/", old_password=CANARIES["change-wrong"], **new)
    browser.post("/password/", old_password=CANARIES["founder"], **new)
    again = product.browse()
    again.post("/sign-in/", username="ada", password=CANARIES["changed"])
    assert "ada" in again.get("/attempts/")
    product.admin = again


def fill_in_the_node(browser, node, action):
    """Go from the home page to the last step."""
    browser.get("/setup/")
    page = browser.post("/setup/", address=node.address, action=action)
    first = browser.path
    for ticks in ({}, CHECKBOXES, CHECKBOXES | {"again": "on"}):
        if browser.path == first:
            page = browser.submit(page, first, address=node.address, action=action, **ticks)
    return browser.submit(page, browser.path)


def fill_in(browser, node):
    """Go from the home page to Start with the password of the wizard's form."""
    page = fill_in_the_node(browser, node, "create_cluster")
    entered = {"name": "redis-prod.example.com", "username": "admin@example.com"}
    page = browser.submit(page, browser.path, password="too\tshort", **entered | {"name": "!"})
    password = {"password": CANARIES["wizard"], "password_again": CANARIES["wizard"]}
    page = browser.submit(page, browser.path, **password, **entered)
    assert browser.path.endswith("/review/"), page
    accepted = {"accept_permanent": "on", "accept:validation": "on", "reason:validation": "To see the answer"}
    browser.submit(page, browser.path, **accepted)
    return re.search(r"/attempts/([0-9a-f-]{36})/", browser.path)[1]


def set_up_in_the_browser(product):
    """One attempt that the node's validation rejects; another goes on with other credentials, and fails."""
    browser, node = product.admin, product.nodes[0]
    node.refuses = True
    assert product.database.outcome(fill_in(browser, node))["reason"] == "validation"
    node.refuses = False
    attempt = fill_in(browser, node)
    product.refuse(attempt)
    product.stream(browser, attempt)
    browser.get(f"/attempts/{attempt}/")
    place, certificate = f"/attempts/{attempt}/credentials/", KEYS["choice-key"]
    pem = {"client_cert_file": certificate.pem, "client_key_file": KEYS["wrong-key"].key}
    browser.upload(place, pem, sign_in_by="certificate")
    assert browser.status == 422
    browser.upload(place, pem | {"client_key_file": certificate.key}, sign_in_by="certificate")
    assert browser.path == f"/attempts/{attempt}/"
    product.refuse(attempt)
    browser.post(f"/attempts/{attempt}/credentials/", username="admin@example.com", password=CANARIES["choice"])
    node.state = "error"
    row = product.database.outcome(attempt)
    assert (row["reason"], CANARIES["choice"] in node.heard) == ("node_error", True)
    product.write(
        "UPDATE attempts_attempt SET reason = 'already_in_cluster' WHERE id = ?", product.database.key(attempt)
    )
    # the certificate first: the node would quote the password, which is not stored
    by_certificate = {"sign_in_by": "certificate", "consent": "on", **KEYS["membership-key"].credentials}
    page = browser.post(f"/attempts/{attempt}/cluster/", **by_certificate)
    assert "This node is in cluster of" in page
    asked = {"username": "admin@example.com", "password": CANARIES["membership"], "consent": "on"}
    browser.post(f"/attempts/{attempt}/cluster/", **asked)
    assert CANARIES["membership"] in node.heard
    return attempt


def join_by_certificate(product):
    """A join with a key, which the joining node gets and quotes: in the pages, and over the API."""
    member, node = product.nodes[2:]
    member.state = "completed"
    browser, certificate = product.admin, KEYS["join-key"]
    page = fill_in_the_node(browser, node, "join_cluster")
    entered = {"members": "127.0.0.1", "port": str(member.server.port), "sign_in_by": "certificate"}
    cluster = browser.path
    page = browser.submit(page, cluster, client_cert=certificate.pem, client_key=KEYS["wrong-key"].key, **entered)
    page = browser.submit(page, cluster, client_cert=certificate.pem, client_key=certificate.key, **entered)
    if browser.path == cluster:
        page = browser.submit(page, cluster, member_fingerprints_match="on", **entered)
    assert browser.path.endswith("/review/"), page
    review = browser.path
    again = {"client_cert": certificate.pem, "client_key": certificate.key, **entered}
    browser.submit(browser.get(cluster), cluster, **again)
    assert browser.path == review
    for _ in range(20):  # the checks run, and then what they found is to be accepted
        if browser.path == review:
            page = browser.get(review)
            ticks = dict.fromkeys(re.findall(r'name="((?:accept|confirm)[\w:]*)"', page), "on")
            reasons = dict.fromkeys(re.findall(r'name="(reason:\w+)"', page), "To see the answer")
            browser.submit(page, review, **ticks, **reasons)
    attempt = re.search(r"/attempts/([0-9a-f-]{36})/", browser.path)[1]
    finish_a_join(product, node, attempt, certificate)
    look_at_everything(product, attempt)
    bootstrap = {
        "action": "join_cluster",
        "cluster": {"nodes": ["127.0.0.1"]},
        "cnm_https_port": member.server.port,
        "credentials": KEYS["api-key"].credentials | {"client_key": KEYS["api-wrong-key"].key},
    }
    document = {"address": node.address, "fingerprint": node.fingerprint, "bootstrap": bootstrap}
    assert product.call("POST", "/attempts", document)[0] == 422
    bootstrap["credentials"] = KEYS["api-key"].credentials
    status, started = product.call("POST", "/attempts", document)
    assert status == 201, started
    finish_a_join(product, node, started["id"], KEYS["api-key"])
    product.call("GET", f"/attempts/{started['id']}")
    product.call("GET", f"/attempts/{started['id']}/events")


def finish_a_join(product, node, attempt, certificate):
    wait_until(lambda: certificate.key.strip() in node.heard, seconds=30)
    wait_until(lambda: product.database.row(attempt)["node_state"] == "creating_cluster", seconds=30)
    node.state = "error"
    assert product.database.outcome(attempt)["error_code"] == "config_error"


def set_up_by_the_api(product):
    node = product.nodes[1]
    product.call("POST", "/probe", {"address": node.address})

    def start(password):
        bootstrap = {
            "action": "create_cluster",
            "cluster": {"name": "redis-test.example.com", "nodes": []},
            "credentials": {"username": "admin@example.com", "password": password},
        }
        document = {"address": node.address, "fingerprint": node.fingerprint, "bootstrap": bootstrap}
        return product.call("POST", "/attempts", document | {"accept_new_certificate": True})

    wrong = {"address": "!", "bootstrap": {"password": CANARIES["api-wrong"]}}
    assert product.call("POST", "/attempts", wrong)[0] == 422
    status, started = start(CANARIES["api"])
    assert status == 201, started
    product.refuse(started["id"])
    place, certificate = f"/attempts/{started['id']}/credentials", KEYS["api-choice-key"]
    wrong = certificate.credentials | {"client_key": KEYS["api-wrong-key"].key}
    assert product.call("POST", place, wrong)[0] == 422
    assert product.call("POST", place, certificate.credentials)[0] == 200
    product.refuse(started["id"])
    sign_in = {"username": "admin@example.com", "password": CANARIES["api-choice"]}
    assert product.call("POST", f"/attempts/{started['id']}/credentials", sign_in)[0] == 200
    node.state = "error"
    assert product.database.outcome(started["id"])["error_code"] == "config_error"
    product.call("GET", f"/attempts/{started['id']}")
    product.call("GET", f"/attempts/{started['id']}/events")
    product.call("GET", "/attempts")
    product.call("POST", "/probe", {"address": node.address})


def look_at_everything(product, attempt):
    browser = product.admin
    for path in ("/", "/attempts/", f"/attempts/{attempt}/", f"/attempts/{attempt}/panel/", "/admin/"):
        browser.get(path)
    for name in ("report/", "report.json"):
        assert "config_error" in browser.get(f"/attempts/{attempt}/{name}")
    for path in re.findall(r'href="(/admin/\w+/\w+/)"', browser.get("/admin/")):
        browser.get(path)
    chosen = [row["id"] for row in product.database.read("SELECT id FROM attempts_attempt")]
    for action in ("export_csv", "export_json"):
        browser.post("/admin/attempts/attempt/", action=action, _selected_action=chosen)
        assert "config_error" in browser.pages[-1]


def test_every_table_of_the_database_is_searched(product):
    """A table that comes later has a model, or is named here: otherwise it is not searched."""
    assert product.database.tables() == canary.known_tables(product.database)


def test_no_secret_is_anywhere_after_every_form_was_used(driven):
    places = driven.places()

    assert canary.find(places, {name: text for name, text in CANARIES.items() if name != "planted"}) == {}
    found = [place for place, content in places.items() for text in driven.secrets.values() if text.encode() in content]
    assert found == []
    assert b'"level": "debug"' in places["log of worker"] + places["log of web"]
    assert b"blue otters" in places["pages"]  # the nodes' words are shown, without the secrets


def test_a_planted_leak_is_found_in_every_place(driven, monkeypatch):
    planted = CANARIES["planted"]
    stored = "INSERT INTO monitoring_heartbeat (part, at) VALUES (?, '2026-11-28 00:00:00+00:00')"
    driven.write(stored, planted)
    session = SessionStore().encode({"typed": planted})
    driven.write("INSERT INTO django_session VALUES (?, ?, '2030-01-01 00:00:00+00:00')", "planted", session)
    driven.traffic.client.set("planted", planted)
    (driven.place / "tmp" / "planted").write_text(planted)
    driven.admin.get(f"/attempts/?q={quote_plus(planted)}")
    driven.admin.get(f"/{quote(planted)}")  # there is no such page, and the log says so
    listener = subprocess.Popen([sys.executable, "-c", "input()", planted], stdin=subprocess.PIPE)
    monkeypatch.setitem(driven.deployment.parts, "planted", listener)
    monkeypatch.setitem(driven.deployment._said, "planted", [])
    monkeypatch.setattr(driven.deployment, "ask", lambda *_, **__: type("Answer", (), {"text": planted}))
    try:
        wait_until(lambda: canary.leaks(driven.deployment.log("web").encode(), planted))
        found = canary.find(driven.places(), {"planted": planted})
    finally:
        listener.kill()
        listener.wait()
        listener.stdin.close()

    expected = {"table monitoring_heartbeat", "sessions", "queue", "file tmp/planted", "pages", "log of web"}
    assert {place for place, _ in found} >= expected | {"database", "processes", "metrics"}
