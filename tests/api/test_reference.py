"""The description of the API: for programs without a token, for people who are signed in."""

import pytest
from django.conf import settings

from tests.bootstrap.samples import EVERYTHING
from tests.project import forks
from tests.reading import check_for_everybody
from tests.serving import on_tables, served


def test_programs_read_the_description_without_a_token(client):
    answer = client.get("/api/v1/openapi.json")

    document = answer.json()
    assert answer.status_code == 200
    assert document["openapi"].startswith("3.")
    assert "/api/v1/attempts/{attempt_id}/events" in document["paths"]


def test_every_call_lists_its_errors_and_needs_a_token(client):
    document = client.get("/api/v1/openapi.json").json()

    error = {"$ref": "#/components/schemas/ErrorOut"}
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert operations
    assert document["security"] == [{"token": []}]
    for operation in operations:
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "4"}
        assert {"401", "403", "405", "413", "415"} <= errors.keys()
        assert all(answer["content"]["application/json"]["schema"] == error for answer in errors.values())


def test_every_field_of_a_bootstrap_is_described(client):
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]

    bootstrap = schemas["StartIn"]["properties"]["bootstrap"]
    assert bootstrap["required"] == ["action", "credentials"]
    assert set(bootstrap["properties"]) == set(EVERYTHING)
    assert schemas["Credentials"]["properties"]["password"]["anyOf"][0]["format"] == "password"
    assert schemas["Identity"]["additionalProperties"] is False


def test_the_page_needs_a_sign_in(client, maria):
    before = client.get("/api/v1/docs")
    client.force_login(maria)

    page = client.get("/api/v1/docs").text

    assert before.status_code == 302
    assert "<h1>JSON API</h1>" in page
    assert "POST /api/v1/attempts/{attempt_id}/stop-watching" in page
    assert "bootstrap.node.paths.persistent_path" in page
    assert "results[].choices[].url" in page
    assert "one of create_cluster, join_cluster" in page


@pytest.fixture
def reader(page, tmp_path, file_with_tables):
    """Maria's browser, signed in; `site` is the address of the product."""
    environment = on_tables(file_with_tables, tmp_path, SETUP_WIZARD_DEMO="true")
    link = forks.run(["manage.py", "sign_in_link"], cwd=settings.BASE_DIR, env=environment).split()[-1]
    with served(environment) as address:
        page.site = address
        page.goto(address + link)
        yield page


@pytest.mark.browser
def test_everybody_can_read_the_page(reader, complaints):
    reader.goto(f"{reader.site}/api/v1/docs")
    reader.evaluate("document.querySelectorAll('details').forEach((details) => (details.open = true))")
    assert reader.locator("h1").inner_text() == "JSON API"
    assert complaints == []
    reader.set_viewport_size({"width": 320, "height": 800})
    assert reader.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    # all calls look alike, and axe would take a minute for all of them
    reader.evaluate("document.querySelectorAll('section.band:nth-of-type(n + 5)').forEach((call) => call.remove())")
    assert reader.locator("section.band").count() == 4
    check_for_everybody(reader, narrow=320)
