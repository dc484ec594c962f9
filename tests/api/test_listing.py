"""`GET /attempts`: pages, filters and the count."""

import pytest

from setup_wizard.attempts.states import State
from tests.api.conftest import assert_problem


def test_the_list_comes_in_pages_that_lead_on(api, many):
    many(120)

    pages, path = [], "/attempts"
    while path:
        pages.append(api.get(path).json())
        path = (pages[-1]["next"] or "").removeprefix("/api/v1")

    assert [len(page["results"]) for page in pages] == [50, 50, 20]
    assert {page["count"] for page in pages} == {120}
    assert len({row["id"] for page in pages for row in page["results"]}) == 120


def test_the_list_costs_the_same_few_queries_whatever_is_in_it(api, many, django_assert_max_num_queries):
    many(60)

    with django_assert_max_num_queries(6):
        api.get("/attempts")


def test_the_list_is_narrowed(api, many):
    many(2)
    many(3, action="join_cluster", state=State.FAILED, cluster_name="", error_code="time_not_sync")

    def count(**query):
        return api.get("/attempts", **query).json()["count"]

    assert count(state="", action="", q="", page="") == 5
    assert count(state="failed") == count(action="join_cluster") == count(q="TIME_NOT") == 3
    assert count(q="redis-prod") == 2
    assert count(q="redis-1.example") == 2
    assert count(q="10.0.0.2:") == 1
    assert count(state="failed", action="create_cluster") == 0


def test_the_way_to_the_next_page_keeps_what_was_asked(api, many):
    many(51)

    following = api.get("/attempts", state="succeeded", q="redis-prod & more", page=1).json()["next"]
    kept = api.get("/attempts", state="succeeded", q="redis-prod").json()["next"]

    assert following is None
    assert kept == "/api/v1/attempts?state=succeeded&q=redis-prod&page=2"


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
        {"state": "done"},
        {"action": "leave_cluster"},
        {"page": "0"},
        {"page": "two"},
        {"q": "x" * 201},
        {"stat": "failed"},
    ],
)
def test_a_search_that_cannot_be_meant_is_refused(api, query):
    assert_problem(api.get("/attempts", **query), 422, "invalid", *query)


@pytest.mark.parametrize("query", ["state=failed&state=succeeded", "q=a&q=a", "page=1&page=2"])
def test_a_filter_given_twice_is_refused(api, query):
    answer = api.client.get(f"/api/v1/attempts?{query}")

    assert_problem(answer, 422, "invalid", query.partition("=")[0])
