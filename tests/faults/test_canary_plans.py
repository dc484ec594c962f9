"""The secrets of plans and runs, from their pages, calls and command: afterwards none is found in any place.

The nodes quote every secret that they got, and so does the cluster's own check.
"""

import json
import re
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest

from tests.client_certificates import Authority
from tests.faults import canary
from tests.faults.canary_product import running_product
from tests.project import forks
from tests.project.processes import wait_until
from tests.serving import CLONE

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(400)]

CANARIES = {
    name: canary.make_canary(name)
    for name in (
        *("form-wrong", "form-field", "import", "import-broken", "import-elsewhere"),
        *("again-wrong", "again", "check-now"),
        *("api-wrong", "api", "api-again-wrong", "api-again", "api-retried"),
        *("file", "file-open", "file-broken", "file-yaml", "in-plan"),
    )
}
KEYS = {name: Authority().issue(f"{name}@example.com") for name in ("extend-key", "extend-again-key", "other-key")}
CANARIES |= {name: each.key.splitlines()[2] for name, each in KEYS.items()}  # half of the key, and more
USERNAME = "admin@example.com"
LONG_AGO = "2026-01-01 00:00:00+00:00"


@pytest.fixture(scope="module")
def product(kind, template):
    with running_product(kind, template) as product:
        product.admin = product.browse(product.deployment.link)
        yield product


@pytest.fixture(scope="module")
def driven(product, tmp_path_factory):
    import_plans(product)
    run = set_up_on_the_pages(product)
    check_the_cluster_now(product)
    by_command = set_up_by_the_command(product, tmp_path_factory.mktemp("files"))
    product.runs = [run, set_up_by_the_api(product), by_command]
    for each in product.runs:
        look_at(product, each)
    return product


def sign_in(name):
    return {"username": USERNAME, "password": CANARIES[name]}


def plan_of(*nodes, **changes):
    planned = [{"address": node.address, "fingerprint": node.fingerprint, "addr": node.bind} for node in nodes]
    return {"cluster": {"name": "redis-test.example.com"}, "accept_new_certificate": True, "nodes": planned} | changes


def row_of(product, run):
    return product.database.read("SELECT * FROM clusters_run WHERE plan_id = ?", product.database.key(run))[0]


def comes_to(product, run, state, reason=""):
    def found():
        row = row_of(product, run)
        return row["state"], row["reason"]

    with suppress(AssertionError):
        wait_until(lambda: found() == (state, reason), seconds=40)
    assert found() == (state, reason)
    product.admin.get(f"/plans/{run}/")  # each state is looked at


def fail(node, name):
    """Let a bootstrap fail once the node has this secret and has begun."""
    wait_until(lambda: node.state == "creating_cluster" and CANARIES[name] in node.heard, seconds=40)
    node.state = "error"


def expire(product, run):
    """Let the credentials of a run expire, as a day after its pause."""
    product.write(
        "UPDATE attempts_sealedcredentials SET expires_at = ? WHERE owner = ?", LONG_AGO, product.database.key(run)
    )


def import_plans(product):
    """Paste plans with a password: where the call of the API has it, in broken JSON, and in unknown fields."""
    plan = json.dumps(plan_of(product.nodes[0], credentials=sign_in("import")))
    product.admin.get("/plans/new/")
    product.admin.post("/plans/import/", plan=plan)
    assert product.admin.path.endswith("/nodes/")
    broken = json.dumps(plan_of(credentials=sign_in("import-broken")))[:-1]
    elsewhere = json.dumps(plan_of(password=CANARIES["import-elsewhere"]) | {"defaults": CANARIES["import-elsewhere"]})
    for text in (broken, elsewhere):
        product.admin.post("/plans/import/", plan=text)
        assert product.admin.status == 422


def fill_in(product, node):
    """Describe a cluster of one node on the pages, up to Review; the plan's id."""
    browser = product.admin
    browser.get("/plans/new/")
    browser.post("/plans/new/", addresses=node.address)
    nodes = browser.path
    cluster = wait_until(lambda: compare(browser, nodes, node), seconds=40)
    wrong = {"username": USERNAME, "password": CANARIES["form-wrong"], "password_again": CANARIES["form-wrong"]}
    browser.submit(browser.get(cluster), cluster, name="!", **wrong)
    assert browser.status == 422
    browser.submit(browser.get(cluster), cluster, **wrong | {"password_again": CANARIES["form-field"]})
    for field in ("password", "password_again"):
        browser.post(f"{cluster}check/{field}/", **{**wrong, "password": CANARIES["form-field"]})
    page = browser.submit(browser.get(cluster), cluster, name=canary.CLUSTER, username=USERNAME, generate="1")
    # a generated password is shown once, on this page
    CANARIES["generated"] = re.search(r'<input[^>]*name="password"[^>]*value="([^"]{12,})"', page)[1]
    assert browser.pages.pop() == page
    browser.submit(page, cluster, accept_new_certificate="on", **{"addr-0": node.bind})
    assert browser.path.endswith("/review/"), browser.path
    return cluster.split("/")[2]


def compare(browser, path, node):
    """Paste the fingerprint; gives the path of the next page once the node has answered."""
    browser.submit(browser.get(path), path, addresses=node.address, pasted=node.fingerprint, do="next")
    return browser.path if browser.path.endswith("/cluster/") else None


def start(browser, plan):
    """Accept what the checks found, and press Start."""
    review = f"/plans/{plan}/review/"
    wait_until(lambda: "Checks are running" not in browser.get(review), seconds=40)
    page = browser.pages[-1]
    ticks = dict.fromkeys(re.findall(r'name="(accept[\w:]*)"', page), "on")
    reasons = dict.fromkeys(re.findall(r'name="(reason:[\w:]+)"', page), "To see the answer")
    browser.submit(page, review, **ticks, **reasons)
    assert browser.path == f"/plans/{plan}/", page


def set_up_on_the_pages(product):
    """A run that fails, loses its credentials, gets others, fails, is retried, and finds its cluster unfit."""
    browser, node = product.admin, product.nodes[0]
    node.refuses = True
    plan = fill_in(product, node)
    browser.get(f"/plans/{plan}/export/")
    start(browser, plan)
    comes_to(product, plan, "paused", "attempt_failed")
    assert CANARIES["generated"] in node.heard

    node.refuses = False
    expire(product, plan)
    assert 'name="password"' in browser.get(f"/plans/{plan}/")
    browser.post(f"/plans/{plan}/credentials/", username="", password=CANARIES["again-wrong"])
    browser.post(f"/plans/{plan}/credentials/", **sign_in("again"))
    fail(node, "again")
    comes_to(product, plan, "paused", "attempt_failed")

    node.state, node.is_listed, node.is_fit = "idle", True, False
    browser.post(f"/plans/{plan}/retry/", address=str(node.address))
    wait_until(lambda: node.state == "creating_cluster", seconds=40)
    browser.post(f"/plans/{plan}/pause/")
    node.heard = [CANARIES["again"]]  # once a node is in a cluster, nothing knows what it got before
    node.state = "completed"
    wait_until(lambda: row_of(product, plan)["fit_since"], seconds=40)
    product.write("UPDATE clusters_run SET fit_since = ? WHERE plan_id = ?", LONG_AGO, product.database.key(plan))
    comes_to(product, plan, "paused", "cluster_not_fit")
    assert "blue otters of" in str(row_of(product, plan)["results"])
    browser.post(f"/plans/{plan}/resume/", **{"accept:cluster_check": "The otters are harmless."})
    comes_to(product, plan, "succeeded")
    assert not product.database.has_secret(plan)
    return plan


def check_the_cluster_now(product):
    browser, node = product.admin, product.nodes[0]
    browser.get("/")
    cluster = product.cluster = UUID(str(product.database.read("SELECT id FROM clusters_cluster")[0]["id"]))
    node.heard.clear()  # after the run nothing knows its password any more that the node could quote
    browser.post(f"/clusters/{cluster}/check/", consent="on", **sign_in("check-now"))
    assert CANARIES["check-now"] in node.heard
    browser.get(f"/clusters/{cluster}/")


def set_up_by_the_api(product):
    """A run that is paused, loses its credentials, and is retried with others; wrong bodies on the way."""
    node = product.nodes[1]
    for path in ("/plans", "/plans/preflight"):
        wrong = plan_of(node, cluster={"name": "!"}, credentials=sign_in("api-wrong"), password=CANARIES["api-wrong"])
        assert product.call("POST", path, wrong)[0] == 422
        keys = KEYS["extend-key"].credentials | {"client_key": KEYS["other-key"].key}
        extend = plan_of(node, members=["127.0.0.1"], cluster={}, credentials=keys)
        assert product.call("POST", path, extend)[0] == 422
    plan = plan_of(node, credentials=sign_in("api"))
    assert product.call("POST", "/plans/preflight", plan)[1]["ready"]
    status, started = product.call("POST", "/plans", plan)
    assert status == 201, started
    run = started["id"]
    wait_until(lambda: node.state == "creating_cluster", seconds=40)
    product.call("POST", f"/plans/{run}/pause")
    fail(node, "api")
    comes_to(product, run, "paused", "attempt_failed")
    expire(product, run)
    place, entered = f"/plans/{run}/retry", {"username": "", "password": CANARIES["api-again-wrong"]}
    assert product.call("POST", place, {"credentials": entered})[0] == 422
    assert product.call("POST", f"/plans/{run}/resume", {"credentials": sign_in("api-again-wrong")})[0] == 409
    assert product.call("POST", place, {"credentials": sign_in("api-again")})[0] == 200
    fail(node, "api-again")
    comes_to(product, run, "paused", "attempt_failed")
    assert product.call("POST", place, {"credentials": sign_in("api-retried"), "all_left": True})[0] == 200
    fail(node, "api-retried")
    comes_to(product, run, "paused", "attempt_failed")
    assert product.call("POST", f"/plans/{run}/stop")[0] == 200
    for path in (f"/plans/{run}", "/clusters", f"/clusters/{product.cluster}", "/attempts"):
        assert product.call("GET", path)[0] == 200
    return run


def set_up_by_the_command(product, place):
    """`manage.py plan` with files that it refuses, then with a file that it takes, for a node that fails."""
    node = product.nodes[2]
    node.refuses = True
    plan, secret, yaml = place / "plan.json", place / "credentials.json", place / "credentials.yml"
    plan.write_text(json.dumps(plan_of(node)))
    secret.write_text(json.dumps(sign_in("file-open")))
    assert command(product, plan, secret)[0] == 2
    secret.chmod(0o600)
    secret.write_text(json.dumps(sign_in("file-broken"))[:-1])
    assert command(product, plan, secret)[0] == 2
    yaml.touch(mode=0o600)
    yaml.write_text(f"password: [{CANARIES['file-yaml']}")
    assert command(product, plan, yaml)[0] == 2
    in_plan = place / "with-password.json"
    in_plan.write_text(json.dumps(plan_of(node, credentials=sign_in("in-plan"))))
    secret.write_text(json.dumps(sign_in("file")))
    assert command(product, in_plan, secret)[0] == 2
    assert command(product, plan, secret, "--check")[0] == 1  # its own check refuses the request
    assert CANARIES["file"] in node.heard
    node.refuses = False
    running = run_command(product, plan, secret)
    wait_until(lambda: node.state == "creating_cluster", seconds=40)
    product.answers.append(canary.read_processes([running.pid]))
    node.state = "error"
    code, said = end(product, running)
    assert code == 1, said
    return re.search(r"/plans/([0-9a-f-]{36})/", said)[1]


def run_command(product, plan, secret, *options):
    words = ["manage.py", "plan", plan, "--user=admin", f"--credentials-file={secret}", *options]
    return forks.Fork(words, cwd=CLONE, env=product.deployment.environment, talks=True)


def end(product, running):
    """Give the exit code and what the command said, which is searched too."""
    with running.stdin, running.stdout:
        said = running.stdout.read()
    product.answers.append(said.encode())
    return running.wait(60), said


def command(product, *arguments):
    return end(product, run_command(product, *arguments))


def look_at(product, run):
    """Every page and call that shows a run, its plan, its attempts and their reports."""
    browser = product.admin
    for path in ("/", "/clusters/", f"/clusters/{product.cluster}/", "/attempts/", "/admin/"):
        browser.get(path)
    for path in ("", "panel/", "export/", "export/?file=json", "export/?file=ansible", "export/?file=rladmin"):
        browser.get(f"/plans/{run}/{path}")
        assert browser.status == 200
    product.call("GET", f"/plans/{run}")
    sql = "SELECT attempt_id FROM clusters_runstep WHERE run_id = ?"
    for step in product.database.read(sql, product.database.key(run)):
        for name in ("", "report/", "report.json"):
            browser.get(f"/attempts/{UUID(str(step['attempt_id']))}/{name}")
    for path in re.findall(r'href="(/admin/\w+/\w+/)"', browser.get("/admin/")):
        browser.get(path)


def test_no_secret_of_a_plan_is_anywhere(driven):
    places = driven.places()

    found = canary.find(places, CANARIES)
    assert list(found) == [], "\n".join(map(str, found.items()))
    # the head of a secret is found in a text within a text, too, which has other spellings
    assert [place for place, content in places.items() if b"CANARY-" in content] == []
    assert b'"level": "debug"' in places["log of worker"] + places["log of web"]
    assert b"blue otters" in places["pages"]  # the words of nodes and cluster are shown, without the secrets


def test_credentials_of_runs_that_wait_are_stored_sealed(driven):
    """So that the search above had something to miss: two runs ended, and the third may be retried for a day."""
    stored = {run: driven.database.has_secret(run) for run in driven.runs}

    assert list(stored.values()) == [False, False, True]
    day = timedelta(hours=24)
    assert not driven.database.has_secret(driven.runs[-1], beyond=day)
