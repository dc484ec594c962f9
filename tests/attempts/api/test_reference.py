"""The description of the API: for programs without a token, for people who are signed in, for everybody to read."""

import os
import re
import subprocess
import sys
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def test_programs_read_the_description_without_a_token(client):
    answer = client.get("/api/v1/openapi.json")

    document = answer.json()
    assert answer.status_code == 200
    assert document["openapi"].startswith("3.")
    assert "/api/v1/attempts/{attempt_id}/events" in document["paths"]


def test_every_call_says_which_refusals_to_expect_and_that_it_wants_a_token(client):
    document = client.get("/api/v1/openapi.json").json()

    problem = {"$ref": "#/components/schemas/ProblemShown"}
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len(operations) == 13
    assert document["security"] == [{"token": []}]
    for operation in operations:
        refusals = {status: answer for status, answer in operation["responses"].items() if status >= "4"}
        assert {"401", "403", "405", "413", "415"} <= refusals.keys()
        assert all(answer["content"]["application/json"]["schema"] == problem for answer in refusals.values())


def test_every_field_of_a_bootstrap_is_described(client):
    document = client.get("/api/v1/openapi.json").json()

    bootstrap = document["components"]["schemas"]["StartSent"]["properties"]["bootstrap"]

    assert bootstrap["required"] == ["action", "credentials"]
    assert {"action", "cluster", "node", "credentials", "license", "policy", "dns_suffixes"} <= set(
        bootstrap["properties"]
    )
    assert bootstrap["properties"]["credentials"]["properties"]["password"]["format"] == "password"
    assert bootstrap["properties"]["node"]["properties"]["identity"]["additionalProperties"] is False


def test_people_read_it_when_they_are_signed_in(client, maria):
    before = client.get("/api/v1/docs")
    client.force_login(maria)

    page = client.get("/api/v1/docs").text

    assert before.status_code == 302
    assert "<h1>JSON API</h1>" in page
    assert "POST /api/v1/attempts/{attempt_id}/stop-watching" in page
    assert "bootstrap.node.paths.persistent_path" in page
    assert "results[].choices[].url" in page
    assert "one of create_cluster, join_cluster" in page


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of the product, and a link that signs in there."""
    database = tmp_path_factory.mktemp("site") / "site.sqlite3"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"sqlite:///{database}",
        "SETUP_WIZARD_DEMO": "true",
    }
    place = {"cwd": settings.BASE_DIR, "env": environment, "text": True}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], **place, check=True, timeout=60)
    link = subprocess.run(
        [sys.executable, "manage.py", "sign_in_link"], **place, check=True, timeout=60, capture_output=True
    ).stdout.strip()
    command = [sys.executable, "-m", "uvicorn", "setup_wizard.project.asgi:application", "--port", "0"]
    with subprocess.Popen(command, **place, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
        said = (re.search(r"running on (http://\S+)", line) for line in server.stderr)
        address = next(found[1] for found in said if found)
        rest = Thread(target=server.stderr.read)  # a full pipe would stop the server
        rest.start()
        yield address, address + link
        server.terminate()
        rest.join()


@pytest.fixture(scope="module")
def reader(browser, site):
    """Maria's browser, signed in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site[1])
    yield page
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_everybody_can_read_the_page(reader, site, width, scheme):
    complaints = []
    reader.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    reader.emulate_media(color_scheme=scheme)
    reader.set_viewport_size({"width": width, "height": 800})
    reader.goto(f"{site[0]}/api/v1/docs")
    for summary in reader.locator("summary").all():
        if summary.evaluate("each => !each.parentElement.open"):
            summary.click()

    found = Axe().run(reader, options={"runOnly": {"type": "tag", "values": WCAG}}).response["violations"]
    too_wide = reader.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert reader.locator("h1").inner_text() == "JSON API"
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    assert too_wide == 0
    assert complaints == []
    if os.environ.get("PICTURES"):
        reader.screenshot(path=f"{os.environ['PICTURES']}/api-{width}-{scheme}.png", full_page=False)
