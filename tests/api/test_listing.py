"""`GET /attempts`: pages, filters and the count."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from django.contrib.auth.models import User

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from tests.api.conftest import NOBODY, assert_problem
from tests.attempts.attempt_rows import add_attempt


def test_each_page_links_to_the_next(api, many):
    many(120)

    pages, path = [], "/attempts"
    while path:
        pages.append(api.get(path).json())
        path = (pages[-1]["next"] or "").removeprefix("http://testserver/api/v1")

    assert [len(page["results"]) for page in pages] == [50, 50, 20]
    assert {page["count"] for page in pages} == {120}
    assert len({row["id"] for page in pages for row in page["results"]}) == 120


def test_more_attempts_take_no_more_queries(api, many, django_assert_max_num_queries):
    many(60)

    with django_assert_max_num_queries(7):
        api.get("/attempts")


def test_the_list_is_filtered(api, many):
    many(2)
    many(3, action="join_cluster", state=State.FAILED, cluster_name="", error_code="time_not_sync")

    def count(**query):
        return api.get("/attempts", **query).json()["count"]

    assert count(state="", action="", code="", q="", after="", **{"from": "", "to": ""}) == 5
    assert count(state="failed") == count(action="join_cluster") == count(q="TIME_NOT") == 3
    assert count(code="time_not_sync") == 3
    assert count(code="time_not") == 0
    assert count(q="redis-prod") == 2
    assert count(q="redis-1.example") == 2
    assert count(q="10.0.0.2:") == 1
    assert count(state="failed", action="create_cluster") == 0


def test_the_list_is_filtered_by_time(api, many):
    many(2)
    old, new = Attempt.objects.order_by("pk")
    Attempt.objects.filter(pk=old.pk).update(created_at=datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
    Attempt.objects.filter(pk=new.pk).update(created_at=datetime(2026, 2, 1, tzinfo=UTC))

    def found(**query):
        return [row["id"] for row in api.get("/attempts", **query).json()["results"]]

    assert found(**{"from": "2026-02-01"}) == [str(new.pk)]
    assert found(to="2026-02-01") == [str(old.pk)]
    assert found(**{"from": "2026-01-31T23:30:00Z"}, to="2026-02-01T00:00:01") == [str(new.pk), str(old.pk)]
    assert found(**{"from": "2026-02-01T00:30:00+01:00"}) == [str(new.pk), str(old.pk)]


def test_the_url_of_the_next_page_keeps_the_filters(api, many):
    many(51)
    filters = {"state": "succeeded", "q": "redis-prod", "from": "2020-01-01", "to": "2100-01-01T00:00:00+02:00"}

    page = api.get("/attempts", **filters).json()

    query = dict(parse_qsl(page["next"].removeprefix("http://testserver/api/v1/attempts?")))
    assert query == {
        "state": "succeeded",
        "q": "redis-prod",
        "from": "2020-01-01T00:00:00Z",
        "to": "2100-01-01T00:00:00+02:00",
        "after": page["results"][-1]["id"],
    }
    assert len(api.get("/attempts", **query).json()["results"]) == 1


def test_a_page_starts_after_an_attempt_whatever_was_added_since(api, many):
    many(60)
    first = api.get("/attempts").json()
    many(60)

    second = api.get(first["next"].removeprefix("http://testserver/api/v1")).json()

    assert second["next"] is None
    assert len(second["results"]) == 10
    assert not {row["id"] for row in first["results"]} & {row["id"] for row in second["results"]}


def test_attempts_of_one_moment_are_listed_once(api, many):
    many(60)
    Attempt.objects.update(created_at=datetime(2026, 1, 31, tzinfo=UTC))

    first = api.get("/attempts").json()
    second = api.get(first["next"].removeprefix("http://testserver/api/v1")).json()

    assert len({row["id"] for page in (first, second) for row in page["results"]}) == 60


def test_an_attempt_of_others_is_no_place_to_continue_from(api, maria, settings):
    settings.SETUP_WIZARD_ATTEMPTS = "own"
    jonas = assign(User.objects.create_user("jonas"), Role.OPERATOR)
    theirs = add_attempt(jonas)

    assert_problem(api.get("/attempts", after=str(theirs.pk)), 422, "invalid", "after")


@pytest.mark.slow
@pytest.mark.untraced  # twice as long otherwise
def test_the_count_is_exact_up_to_ten_thousand_and_then_unknown(api, many):
    many(10_000)
    exact = api.get("/attempts").json()["count"]

    many(1)

    assert exact == 10_000
    assert api.get("/attempts").json()["count"] is None


@pytest.mark.parametrize(
    "query",
    [
        *({"state": "done"}, {"action": "leave_cluster"}, {"page": "2"}, {"after": "two"}, {"after": NOBODY}),
        *({"from": "yesterday"}, {"to": "2026-13-01"}, {"to": "0.5"}),
        *({"code": "x" * 65}, {"q": "x" * 201}, {"stat": "failed"}),
    ],
)
def test_an_unknown_filter_or_value_is_refused(api, query):
    assert_problem(api.get("/attempts", **query), 422, "invalid", *query)


@pytest.mark.parametrize("query", ["state=failed&state=succeeded", "q=a&q=a", "from=2026-01-01&from=2026-01-02"])
def test_a_filter_given_twice_is_refused(api, query):
    answer = api.client.get(f"/api/v1/attempts?{query}")

    assert_problem(answer, 422, "invalid", query.partition("=")[0])
