"""Invalid bodies, methods and URLs, and failures of the server."""

import json

import pytest
from django.db import OperationalError

from tests.api.conftest import NOBODY, assert_problem


def test_an_empty_body_is_refused(api):
    assert_problem(api.client.post("/api/v1/probe", b"", content_type="application/json"), 422, "invalid", "body")


TWINS = {
    "bootstrap.cluster.name": '{"bootstrap": {"cluster": {"name": "first.example.com", "name": "second.example.com"}}}',
    "address": '{"address": "10.0.0.5", "address": "10.0.0.6"}',
    "bootstrap.dns_suffixes.1.name": '{"bootstrap": {"dns_suffixes": [{}, {"name": "a", "na\\u006de": "b"}]}}',
    "bootstrap.witness_disk.a.b": '{"bootstrap": {"witness_disk": {"a": {"b": 1, "b": 1}}}}',
    "bootstrap.credentials.password": '{"bootstrap": {"credentials": {"password": "CANARY", "password": "CANARY"}}}',
}


@pytest.mark.parametrize(("path", "body"), TWINS.items(), ids=TWINS)
@pytest.mark.parametrize(
    "call", ["/attempts", "/probe", f"/attempts/{NOBODY}/credentials", f"/attempts/{NOBODY}/cancel"]
)
def test_a_key_given_twice_is_refused_at_its_path(api, call, body, path):
    answer = api.client.post(f"/api/v1{call}", body, content_type="application/json")

    assert_problem(answer, 422, "invalid", path)
    assert "CANARY" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"\xff", b"\xff\xfe", b'{"address": "10.0.0.5"}\xff', '{"address": "10.0.0.5"}'.encode("utf-16")),
        *(b'{"address": NaN}', b'{"bootstrap": {"max_retries": Infinity}}', b'{"bootstrap": {"max_retries": 1e999}}'),
        *(b"[" * 100_000, b'{"bootstrap": ' + b"[" * 40 + b"]" * 40 + b"}"),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("call", ["/probe", "/attempts"])
def test_a_body_that_is_not_json_for_every_reader_is_refused(api, call, body):
    answer = api.client.post(f"/api/v1{call}", body, content_type="application/json")

    assert_problem(answer, 400, "malformed_json")


def test_a_form_is_refused(api):
    answer = api.client.post("/api/v1/probe", {"address": "10.0.0.5"})

    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 422), (1024 * 1024 + 1, 413)])
def test_a_body_can_have_a_mebibyte(api, size, status):
    body = json.dumps({"address": "10.0.0.5", "x": ""})
    padded = body.replace('""', f'"{"x" * (size - len(body))}"')
    assert len(padded) == size

    answer = api.client.post("/api/v1/probe", padded, content_type="application/json")

    assert answer.status_code == status
    assert answer.json()["error"] == ("too_large" if status == 413 else "invalid")


def test_an_unknown_method_is_refused_with_the_allowed_ones(api):
    answer = api.client.delete("/api/v1/attempts")

    assert_problem(answer, 405, "method_not_allowed")
    assert sorted(answer.headers["Allow"].split(", ")) == ["GET", "POST"]


@pytest.mark.parametrize("path", ["/nowhere", f"/attempts/{NOBODY}", "/attempts/7", f"/attempts/{NOBODY}/events", "/"])
def test_an_unknown_url_is_a_404_in_json(api, path):
    assert_problem(api.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("failure", "problem"), [(RuntimeError, (500, "internal_error")), (OperationalError, (503, "unavailable"))]
)
def test_a_failure_is_logged_and_told_without_details(api, monkeypatch, caplog, failure, problem):
    def fail(*_args, **_options):
        raise failure("could not connect to server at 10.0.0.9")

    monkeypatch.setattr("setup_wizard.api.listing.list_attempts", fail)

    answer = api.get("/attempts")

    assert_problem(answer, *problem)
    assert "10.0.0.9" not in answer.text
    assert "10.0.0.9" in caplog.text
    assert ("Retry-After" in answer.headers) == (problem == (503, "unavailable"))
