"""The list of attempts: searched, sorted and paged by a URL that can be shared."""

import re
from datetime import date, timedelta
from html import unescape
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.states import State
from setup_wizard.history import reviews
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
        add_attempt(
            maria, "10.0.0.5:9443", host="node-a.example.com", minutes_ago=40, took=16, software_version="8.0.6-54"
        ),
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
    return [int(number) for number in re.findall(r"<tr> ?<td><a [^>]*>10\.0\.0\.(\d+):9443<", text_of(answer))]


def cells_of(answer, node):
    """The row of a node, as a dictionary of its columns."""
    row = next(row for row in re.findall(r"<tr> ?(.*?)</tr>", text_of(answer)) if f"{node}:9443" in row)
    headings = [re.sub(r"<[^>]+>", "", each) for each in re.findall(r"<th [^>]*>(.*?)</th>", text_of(answer))]
    cells = [re.sub(r"(<[^>]+>)+", " ", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
    return dict(zip(headings, cells, strict=True))


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
        ("q=1", [8, 7, 6, 5]),
        ("q=re", [7, 6, 5]),
        ("q=es", []),
        ("q=o", [8]),
        ("q=redis+10.0.0.7", [7]),
        ("q=10d0d0", []),
        ("q=%22+OR+%22", []),
        ("code=access_denied", [7]),
        ("code=access", []),
        ("reason=node_error", [7]),
        ("node=10.0.0.6:9443", [6]),
        ("node=10.0.0.6", [6]),
        ("node=10.0.0.6:9444", []),
        ("node=10.0.0", []),
        ("cluster=other.example.com", [8]),
        ("cluster=other", []),
        ("version=8.0.6-54", [5]),
        ("version=-", [8, 7, 6]),
        ("state=failed&code=-", []),
        ("code=-", [8, 6, 5]),
        ("user=nobody", []),
        ("period=24h", [8, 7, 6, 5]),
        ("state=failed&period=7d", [7]),
        ("from=2000-01-01&to=2000-12-31", []),
        ("from=2000-01-01&to=2999-12-31", [8, 7, 6, 5]),
        ("reviewed=yes", [6]),
        ("reviewed=no", [8, 7, 5]),
        ("reviewed=no&user=jonas&q=test&sort=node", [7]),
        ("state=sideways&action=dance&sort=moon&after=two", [8, 7, 6, 5]),
    ],
)
def test_the_query_filters_the_list(look, attempts, jonas, asked, found):
    reviews.write(Attempt.objects.filter(pk=attempts[1].pk), by=jonas, mark=True)

    assert nodes_in(look(f"{LIST}?{asked}")) == found


def test_running_attempts_are_those_that_need_no_operator(look, maria, attempts):
    add_attempt(maria, "10.0.0.9:9443", state=State.NEEDS_OPERATOR)

    assert nodes_in(look(f"{LIST}?state=moving")) == [8]


def test_the_filters_use_the_words_of_the_rows_and_of_an_attempt(look, attempts):
    page = look(f"{LIST}?filters=all")
    text = text_of(page)

    assert '<option value="moving">Running, any stage</option>' in text
    assert '<option value="in_progress">Creating, joining or recovering the cluster</option>' in text
    assert '<label for="id_reason">Problem</label>' in text
    assert cells_of(page, "10.0.0.8")["State"] == "Creating the cluster"


def test_a_recovery_that_knows_no_name_is_named_as_on_its_page(look, maria):
    add_attempt(maria, "10.0.0.9:9443", action="recover_cluster", cluster="", state=State.FAILED)

    assert cells_of(look(), "10.0.0.9")["Setup"] == "Recover a cluster on 10.0.0.9:9443"


@pytest.mark.parametrize(("visible", "offered"), [("all", ["jonas", "maria"]), ("own", ["maria"])])
def test_people_are_offered_whose_attempts_one_may_see(look, attempts, settings, visible, offered):
    settings.SETUP_WIZARD_ATTEMPTS = visible
    User.objects.create_user("without-attempts")

    menu = re.search(r'<select [^>]*name="user".*?</select>', text_of(look(f"{LIST}?filters=all")))[0]

    assert re.findall(r'<option value="(\w[\w-]*)"', menu) == offered


@pytest.mark.parametrize(
    "asked",
    [
        *("from=yesterday", "to=9999-12-31", "from=9999-12-31", "to=0001-01-01", "from=2026-02-30", "period=1y"),
        *("after=%7B%7D", "before=two", f"after={UUID(int=1)}&before={UUID(int=2)}", "q=%F0%9F%92%A5+%ED%A0%80+%27--"),
        *("node=[", "node=%25", "node=a:b:c:d", f"q={'x' * 5000}", "q=" + "a+" * 400, "sort=-", "sort=--when"),
        *("code=%27", f"cluster={'x' * 999}", "user=%5C", "q=*&q=%22%22%22", "reviewed=maybe", "state=failed&state="),
    ],
)
def test_no_query_breaks_the_list(look, attempts, asked):
    assert "<h1>Attempts</h1>" in text_of(look(f"{LIST}?{asked}"))
    assert look(f"{LIST}rows/?{asked}&seen=x").status_code == 200


@pytest.mark.parametrize(
    ("days", "asked", "is_found"),
    [
        (0, "from={day}&to={day}", True),
        (1, "from={day}&to={day}", False),
        (1, "to={day}", True),
        (0, "from={tomorrow}", False),
        (6, "period=7d", True),
        (8, "period=7d", False),
    ],
)
def test_both_days_of_a_range_are_included(look, maria, days, asked, is_found):
    today = timezone.now().replace(hour=23, minute=59)
    attempt = add_attempt(maria, "10.0.0.5:9443")
    Attempt.objects.filter(pk=attempt.pk).update(created_at=today - timedelta(days=days))
    asked = asked.format(day=today.date(), tomorrow=today.date() + timedelta(days=1))

    assert nodes_in(look(f"{LIST}?{asked}")) == ([5] if is_found else [])


def test_a_frequent_search_is_a_link_and_marked_while_it_is_shown(look, attempts):
    link = re.search(r'href="([^"]+)">Failed, last 7 days</a>', text_of(look()))[1]

    page = look(link)

    assert link == f"{LIST}?state=failed&period=7d"
    assert nodes_in(page) == [7]
    assert 'aria-current="true">Failed, last 7 days</a>' in text_of(page)


@pytest.mark.parametrize("filters", ["", "q=example&", "action=join_cluster&q=10.&", "period=24h&"])
@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("node", [5, 6, 7, 8]),
        ("-node", [8, 7, 6, 5]),
        ("when", [5, 6, 7, 8]),
        ("-when", [8, 7, 6, 5]),
        ("-duration", [6, 5, 7]),
        ("duration", [7, 5, 6]),
        ("cluster", [8, 5, 6, 7]),
    ],
)
def test_each_order_goes_both_ways(look, attempts, filters, sort, found):
    shown = [number for number in found if "join" not in filters or number in {6, 7}]

    assert nodes_in(look(f"{LIST}?{filters}sort={sort}")) == shown


def test_the_order_by_duration_says_what_it_leaves_out(look, attempts):
    assert "3 attempts that have ended" in text_of(look(f"{LIST}?sort=duration"))


@pytest.mark.parametrize("column", Column)
def test_a_heading_sorts_and_a_second_click_reverses_it(look, attempts, column):
    page = text_of(look(f"{LIST}?q=example"))
    link = re.search(rf'<th scope="col"[^>]*><a id="sort-{column.value}" href="([^"]+)"', page)[1]
    assert "q=example" in link

    sorted_page = text_of(look(link))
    heading = re.search(rf'<th scope="col" aria-sort="(\w+)"><a id="sort-{column.value}" href="([^"]+)"', sorted_page)
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
    assert failed["When"] == f"{attempts[2].created_at:%-d %b %Y, %H:%M:%S} UTC"
    assert failed["Duration"] == "4.0 s"


def test_a_running_attempt_shows_its_time_so_far(look, attempts):
    assert re.fullmatch(r"10 min \d s", cells_of(look(), "10.0.0.8")["Duration"])
    assert f'data-since="{attempts[3].created_at:%Y-%m-%dT%H:%M}' in text_of(look())


def test_the_form_shows_the_current_filters(look, attempts):
    page = text_of(look(f"{LIST}?q=example&state=failed&user=jonas&action=join_cluster&sort=-duration&code=new_code"))

    for chosen in ("failed", "jonas", "join_cluster", "-duration", "new_code"):
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

    def follow(self, look, rel, page):
        return look(re.search(rf'href="([^"]+)"[^>]* rel="{rel}"', text_of(page))[1])

    def test_each_attempt_is_on_one_page(self, look):
        first = look()
        second = self.follow(look, "next", first)

        assert nodes_in(first) == list(range(PER_PAGE))
        assert nodes_in(second) == list(range(PER_PAGE, PER_PAGE + 5))
        assert nodes_in(self.follow(look, "prev", second)) == list(range(PER_PAGE))
        assert 'rel="prev"' not in text_of(first)
        assert 'rel="next"' not in text_of(second)

    @pytest.mark.parametrize("asked", ["", "q=example", "state=succeeded", "q=10.0.0"])
    @pytest.mark.parametrize("sort", ["when", "-when", "node", "-node", "cluster", "-cluster", "duration", "-duration"])
    def test_pages_in_any_order_have_each_attempt_once(self, look, monkeypatch, asked, sort):
        monkeypatch.setattr("setup_wizard.history.listing.PER_PAGE", 7)
        page = look(f"{LIST}?{asked}&sort={sort}")
        pages = [nodes_in(page)]
        while 'rel="next"' in text_of(page):
            page = self.follow(look, "next", page)
            pages.append(nodes_in(page))
        back = [nodes_in(page)]
        while 'rel="prev"' in text_of(page):
            page = self.follow(look, "prev", page)
            back.insert(0, nodes_in(page))

        assert [len(each) for each in pages] == [7, 7, 6]
        assert sorted(number for page in pages for number in page) == list(range(PER_PAGE + 5))
        assert back == pages

    def test_new_attempts_move_no_row_to_another_page(self, look, maria):
        first = look()
        second = nodes_in(self.follow(look, "next", first))
        for number in range(100, 110):
            add_attempt(maria, f"10.0.0.{number}:9443", minutes_ago=0)

        again = self.follow(look, "next", first)

        assert nodes_in(again) == second
        assert nodes_in(self.follow(look, "prev", again)) == list(range(PER_PAGE))

    def test_the_first_page_is_full_when_it_is_reached_backwards(self, look):
        third = Attempt.objects.get(address="10.0.0.2:9443")

        assert nodes_in(look(f"{LIST}?before={third.pk}")) == list(range(PER_PAGE))

    def test_the_link_to_the_next_page_keeps_the_filters(self, look):
        page = text_of(look(f"{LIST}?q=example&sort=node"))

        assert 'href="/attempts/?q=example&sort=node&after=' in page
        assert f"{PER_PAGE + 5} attempts" in page

    def test_a_place_that_does_not_exist_is_the_first_page(self, look):
        assert nodes_in(look(f"{LIST}?after={uuid4()}")) == nodes_in(look(LIST))

    def test_what_follows_the_last_row_is_the_first_page(self, look):
        last = Attempt.objects.get(address=f"10.0.0.{PER_PAGE + 4}:9443")

        assert nodes_in(look(f"{LIST}?after={last.pk}")) == list(range(PER_PAGE))

    def test_an_attempt_of_others_is_no_place(self, look, jonas, settings):
        settings.SETUP_WIZARD_ATTEMPTS = "own"
        theirs = add_attempt(jonas, "10.0.0.99:9443", minutes_ago=2)

        assert nodes_in(look(f"{LIST}?after={theirs.pk}")) == nodes_in(look(LIST)) == list(range(PER_PAGE))

    def test_the_count_is_exact_up_to_a_limit(self, look, monkeypatch):
        most = PER_PAGE + 4
        monkeypatch.setattr("setup_wizard.history.pages.MAX_COUNT", most)
        monkeypatch.setattr("setup_wizard.history.listing.MAX_COUNT", most)

        assert f"{most}+ attempts" in text_of(look())
        assert f"{most}+ attempts" in text_of(look(f"{LIST}?q=example&sort=node"))
        assert "1 attempt<" in text_of(look(f"{LIST}?q=10.0.0.{most}"))

    def test_more_rows_take_no_more_queries(self, look, maria):
        for number in range(PER_PAGE):
            add_refused(User.objects.create_user(f"person-{number}"), f"10.0.1.{number}:9443", minutes_ago=0)
        look()
        with CaptureQueriesContext(connection) as many:
            assert len(nodes_in(look(f"{LIST}?q=10.0.0."))) == PER_PAGE
        with CaptureQueriesContext(connection) as few:
            assert len(nodes_in(look(f"{LIST}?q=10.0.0.{PER_PAGE + 4}"))) == 1
        with CaptureQueriesContext(connection) as mixed:
            look(f"{LIST}?sort=-cluster&state=failed&user=maria")

        # session, user, two for the permissions, two that tell whether the list is stale, count, rows,
        # marks, the supervisor's heartbeat, two of the bar; to search, the index and how common the words are on SQLite
        assert len(many) == len(few) <= 14, [query["sql"] for query in many]
        assert len(mixed) <= len(few) + 2, [query["sql"] for query in mixed]


def test_htmx_pushes_the_url_without_empty_filters(look, attempts):
    answer = look(f"{LIST}?q=10.0.0&state=&action=&user=&sort=-when", **{"HX-Request": "true"})

    assert answer.headers["HX-Push-Url"] == f"{LIST}?q=10.0.0"


def test_a_query_survives_parsing_and_writing():
    search = Search(
        state="failed",
        action="join_cluster",
        code="access_denied",
        reason="node_error",
        user="maria",
        node="10.0.0.7:9443",
        cluster="redis & co",
        version="8.0.6-54",
        reviewed="no",
        q="redis & co",
        period="7d",
        first=date(2026, 1, 1),
        last=date(2026, 1, 31),
        column=Column.DURATION,
    )

    assert search.query(after="three").endswith("after=three")
    assert Search.parse(dict(parse_qsl(search.query()))) == search
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
    assert 'id="filters"' not in page


def test_a_search_without_results_offers_all_attempts(look, attempts):
    page = text_of(look(f"{LIST}?q=nowhere"))

    assert "No attempt matches." in page
    assert 'href="/attempts/">Show all attempts' in page
    assert 'value="nowhere"' in page
    assert Attempt.objects.count() == 4
