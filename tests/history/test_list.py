"""The list of attempts: searched, sorted and paged by a URL that can be shared."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.history.listing import PER_PAGE
from setup_wizard.history.search import Column, Search
from tests.attempts.attempt_rows import add_attempt, add_refused

LIST = "/attempts/"


@pytest.fixture
def jonas(db):
    return assign(User.objects.create_user("jonas"), Role.OPERATOR)


@pytest.fixture
def attempts(maria, jonas):
    return [
        add_attempt(maria, "10.0.0.5:9443", host="node-a.example.com", minutes_ago=40, took=16),
        add_attempt(jonas, "10.0.0.6:9443", minutes_ago=30, took=90, action="join_cluster"),
        add_refused(jonas, "10.0.0.7:9443", minutes_ago=20, took=4),
        add_attempt(maria, "10.0.0.8:9443", minutes_ago=10, state=State.IN_PROGRESS, cluster="other.example.com"),
    ]


@pytest.fixture
def look(client, maria):
    client.force_login(maria)

    def read(address=LIST, **headers):
        answer = client.get(address, headers=headers)
        assert answer.status_code == 200
        return answer

    return read


def text_of(answer):
    return re.sub(r"\s+", " ", unescape(answer.content.decode()))


def nodes_in(answer):
    """The last number of each node's address, from the top."""
    return [int(number) for number in re.findall(r'data-label="Node"><a [^>]*>10\.0\.0\.(\d+):9443<', text_of(answer))]


def cells_of(answer, node):
    """The row of a node, as a dictionary of its columns."""
    row = next(row for row in re.findall(r"<tr> ?(.*?)</tr>", text_of(answer)) if f"{node}:9443" in row)
    cells = re.findall(r'<td data-label="([^"]+)"[^>]*>(.*?)</td>', row)
    return {label: re.sub(r"(<[^>]+>)+", " ", cell).strip() for label, cell in cells}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", [8, 7, 6, 5]),
        ("state=failed", [7]),
        ("state=moving", [8]),
        ("action=join_cluster", [7, 6]),
        ("user=jonas", [7, 6]),
        ("user=maria&state=succeeded", [5]),
        ("q=10.0.0.6", [6]),
        ("q=node-a", [5]),
        ("q=TEST.example", [7]),
        ("q=access_denied", [7]),
        ("q=access+denied", [7]),
        ("q=redis-prod&user=jonas", [6]),
        ("q=%25", []),
        ("state=sideways&action=dance&sort=moon&page=two", [8, 7, 6, 5]),
    ],
)
def test_the_query_filters_the_list(look, attempts, asked, found):
    assert nodes_in(look(f"{LIST}?{asked}")) == found


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("node", [5, 6, 7, 8]),
        ("-node", [8, 7, 6, 5]),
        ("when", [5, 6, 7, 8]),
        ("-duration", [6, 5, 7, 8]),
        ("duration", [7, 5, 6, 8]),
        ("state", [7, 8, 5, 6]),
        ("by", [6, 7, 5, 8]),
        ("setup", [8, 5, 6, 7]),
    ],
)
def test_each_column_sorts_both_ways_with_open_attempts_last(look, attempts, sort, found):
    assert nodes_in(look(f"{LIST}?sort={sort}")) == found


@pytest.mark.parametrize("column", Column)
def test_a_heading_sorts_and_a_second_click_reverses_it(look, attempts, column):
    page = text_of(look(f"{LIST}?q=example"))
    link = re.search(rf'<th scope="col"[^>]*><a [^>]*href="([^"]+)"[^>]*>{column.label}</a>', page)[1]
    assert "q=example" in link

    sorted_page = text_of(look(link))
    heading = re.search(
        rf'<th scope="col" aria-sort="(\w+)"><a [^>]*href="([^"]+)"[^>]*>{column.label}</a>', sorted_page
    )
    turned = text_of(look(heading[2]))

    other = {"ascending": "descending", "descending": "ascending"}[heading[1]]
    assert f'aria-sort="{other}"' in turned
    assert turned.count("aria-sort") == 1


def test_a_row_shows_who_when_what_why_and_how_long(look, attempts):
    failed = cells_of(look(), "10.0.0.7")

    assert failed["Setup"] == "Join redis-test.example.com"
    assert failed["State"] == "Failed"
    assert failed["Problem"] == "The cluster refused the credentials access_denied"
    assert failed["Started by"] == "jonas"
    assert failed["When, UTC"] == f"{attempts[2].created_at:%-d %b %Y, %H:%M}"
    assert failed["Duration"] == "4.0 s"


def test_a_running_attempt_shows_its_time_so_far(look, attempts):
    assert re.fullmatch(r"10 min \d s", cells_of(look(), "10.0.0.8")["Duration"])
    assert f'data-since="{attempts[3].created_at:%Y-%m-%dT%H:%M}' in text_of(look())


def test_the_form_shows_the_current_filters(look, attempts):
    page = text_of(look(f"{LIST}?q=example&state=failed&user=jonas&action=join_cluster&sort=-duration"))

    for chosen in ("failed", "jonas", "join_cluster", "-duration"):
        assert f'<option value="{chosen}" selected>' in page
    assert 'name="q" id="id_q" value="example"' in page


def test_a_search_term_is_escaped(look, attempts):
    page = look(f'{LIST}?q="><script>alert(1)</script>&user="><script>').content.decode()

    assert "<script>alert" not in page
    assert '"><script>' not in page


class TestPages:
    @pytest.fixture(autouse=True)
    def _many(self, maria):
        for number in range(PER_PAGE + 5):
            add_attempt(maria, f"10.0.0.{number}:9443", minutes_ago=number)

    def test_each_attempt_is_on_one_page(self, look):
        first, second = nodes_in(look()), nodes_in(look(f"{LIST}?page=2"))

        assert first == list(range(PER_PAGE))
        assert second == list(range(PER_PAGE, PER_PAGE + 5))

    def test_attempts_that_sort_equal_are_listed_once(self, look):
        first, second = nodes_in(look(f"{LIST}?sort=state")), nodes_in(look(f"{LIST}?sort=state&page=2"))

        assert sorted(first + second) == list(range(PER_PAGE + 5))

    def test_the_link_to_the_next_page_keeps_the_filters(self, look):
        page = text_of(look(f"{LIST}?q=example&sort=node"))

        assert 'href="/attempts/?q=example&sort=node&page=2"' in page
        assert "1 to 25 of 30 attempts" in page

    def test_a_page_that_does_not_exist_is_the_last_one(self, look):
        assert nodes_in(look(f"{LIST}?page=99")) == nodes_in(look(f"{LIST}?page=2"))

    def test_more_rows_take_no_more_queries(self, look, maria):
        for number in range(PER_PAGE):
            add_refused(User.objects.create_user(f"person-{number}"), f"10.0.1.{number}:9443", minutes_ago=0)
        look()
        with CaptureQueriesContext(connection) as many:
            assert len(nodes_in(look(f"{LIST}?q=10.0.0."))) == PER_PAGE
        with CaptureQueriesContext(connection) as mixed:
            look(f"{LIST}?sort=-problem")
        with CaptureQueriesContext(connection) as few:
            assert len(nodes_in(look(f"{LIST}?q=10.0.0.29"))) == 1

        # session, user, two for the permissions, count, rows, people, the supervisor's heartbeat, its server's clock
        expected = 9 if connection.vendor == "postgresql" else 8
        assert len(many) == len(mixed) == len(few) == expected, [query["sql"] for query in many]


def test_sorting_by_time_uses_an_index(maria):
    plans = {
        asked: Search.parse(dict([asked.split("=")]) if asked else {}).attempts(maria).explain()
        for asked in ("", "state=failed", "user=maria")
    }

    assert all("attempts_" in plan for plan in plans.values()), plans


def test_htmx_pushes_the_url_without_empty_filters(look, attempts):
    answer = look(f"{LIST}?q=10.0.0&state=&action=&user=&sort=-when", **{"HX-Request": "true"})

    assert answer.headers["HX-Push-Url"] == f"{LIST}?q=10.0.0"


def test_a_query_survives_parsing_and_writing():
    search = Search(state="failed", action="join_cluster", user="maria", q="redis & co", column=Column.DURATION)

    said = dict(part.split("=") for part in search.query().split("&"))

    assert search.query(3).endswith("page=3")
    assert Search.parse({**said, "q": "redis & co"}) == search
    assert Search().query() == ""


@pytest.mark.parametrize(
    ("role", "offer"),
    [(Role.OPERATOR, ">Set up the first node"), (Role.VIEWER, "Setups appear here once an operator starts one.")],
)
def test_an_empty_list_links_to_the_setup_for_operators_only(client, db, role, offer):
    client.force_login(assign(User.objects.create_user("vera"), role))

    page = text_of(client.get(LIST))

    assert "No setups yet." in page
    assert offer in page
    assert (f'href="{reverse("wizard:home")}"' in page) == (role is Role.OPERATOR)
    assert "<form class=" not in page


def test_a_search_without_results_offers_all_attempts(look, attempts):
    page = text_of(look(f"{LIST}?q=nowhere"))

    assert "No attempt matches." in page
    assert 'href="/attempts/">Show all attempts' in page
    assert 'value="nowhere"' in page
    assert Attempt.objects.count() == 4
