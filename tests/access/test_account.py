"""The account page: the own role, the time zone of times, and API tokens that are shown once."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from setup_wizard.access import times, tokens
from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.models import ApiToken, Preferences
from setup_wizard.access.roles import NO_ROLE, Role, assign

pytestmark = pytest.mark.django_db

PAGE, TOKENS, ZONE = "/account/", "/account/tokens/", "/account/time-zone/"
TOKEN = re.compile(r"sw_[A-Za-z0-9_-]{43}")
NOON = datetime(2026, 11, 29, 12, 36, 13, tzinfo=UTC)


def create(browser, name="nightly report", days="90"):
    return browser.post(TOKENS, {"name": name, "days": days})


def test_the_page_says_what_the_role_allows(browser_of_maria):
    page = browser_of_maria.get(PAGE).text

    assert "<dt>operator</dt>" in page
    assert Role.OPERATOR.sentence in page


def test_the_page_leads_to_the_notifications(browser_of_maria):
    page = browser_of_maria.get("/account/").text

    assert '<a href="/notifications/">Notifications</a></p>' in page


def test_a_user_without_a_role_reads_that(db):
    browser = Client()
    browser.force_login(User.objects.create_user("nils"))

    assert NO_ROLE.sentence in browser.get(PAGE).text


class TestTokens:
    def test_a_new_token_is_shown_once_and_works(self, browser_of_maria, maria):
        page = create(browser_of_maria).text

        token = TOKEN.search(page)[0]
        assert tokens.find_user(token) == maria
        assert not TOKEN.search(browser_of_maria.get(PAGE).text)
        row = ApiToken.objects.get()
        assert (row.name, row.made_by) == ("nightly report", maria)
        assert timedelta(days=89) < row.expires_at - timezone.now() <= timedelta(days=90)
        entry = AuditEvent.objects.get(action=AccessAudit.TOKEN_MADE)
        assert entry.user_name == "maria"
        assert token not in f"{entry.target_name}{entry.target_id}{entry.note}"

    def test_a_token_can_have_no_end(self, browser_of_maria):
        create(browser_of_maria, days="0")

        assert ApiToken.objects.get().expires_at is None

    @pytest.mark.parametrize("posted", [{"name": "", "days": "90"}, {"name": "x", "days": "9000"}, {}])
    def test_wrong_input_makes_no_token(self, browser_of_maria, posted):
        answer = browser_of_maria.post(TOKENS, posted)

        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
        assert not ApiToken.objects.exists()

    def test_the_number_of_valid_tokens_is_limited(self, browser_of_maria, maria, monkeypatch):
        monkeypatch.setattr(tokens, "MAX_VALID", 2)
        tokens.issue(maria)
        tokens.issue(maria, lifetime=timedelta(days=-1))
        create(browser_of_maria)

        answer = create(browser_of_maria)

        assert answer.status_code == 422
        assert "maria has 2 valid tokens. Revoke one first." in answer.text

    def test_the_page_lists_tokens_with_their_last_use_and_maker(self, browser_of_maria, maria):
        token = tokens.issue(maria, by=User.objects.create_user("ada"), name="backup")
        assert "never" in browser_of_maria.get(PAGE).text
        tokens.find_user(token)

        page = browser_of_maria.get(PAGE).text

        row = ApiToken.objects.get()
        cell = page.partition('<td data-label="Last used">')[2].partition("</td>")[0]
        assert times.exact(row.last_used_at) in cell
        assert "by ada" in page

    def test_an_expired_token_is_marked(self, browser_of_maria, maria):
        tokens.issue(maria, lifetime=timedelta(days=-1))

        assert ">expired</span>" in browser_of_maria.get(PAGE).text

    def test_a_token_is_revoked_and_gone_from_the_page(self, browser_of_maria, maria):
        token = tokens.issue(maria)
        row = ApiToken.objects.get()

        page = browser_of_maria.post(f"{TOKENS}{row.pk}/revoke/", follow=True).text

        assert tokens.find_user(token) is None
        assert f"The token {row.prefix}… no longer works." in page
        assert "You have no token." in page
        assert AuditEvent.objects.get(action=AccessAudit.TOKEN_REVOKED).user_name == "maria"

    def test_the_token_of_another_user_is_not_revoked(self, browser_of_maria):
        token = tokens.issue(User.objects.create_user("ben"))

        answer = browser_of_maria.post(f"{TOKENS}{ApiToken.objects.get().pk}/revoke/")

        assert answer.status_code == 404
        assert tokens.find_user(token)

    def test_a_reload_of_the_response_shows_the_account(self, browser_of_maria):
        assert browser_of_maria.get(TOKENS).url == PAGE


class TestAdministration:
    LIST = "/admin/access/apitoken/"

    @pytest.fixture
    def desk(self):
        browser = Client()
        browser.force_login(assign(User.objects.create_user("ada"), Role.ADMINISTRATOR))
        return browser

    def add(self, browser, user):
        return browser.post(f"{self.LIST}add/", {"user": user.pk, "name": "monitoring", "days": "30"})

    def revoke(self, browser, token):
        return browser.post(self.LIST, {"action": "revoke", "_selected_action": [str(token.pk)]}, follow=True)

    def test_an_administrator_creates_a_token_for_a_user(self, desk, maria):
        page = self.add(desk, maria).text

        assert tokens.find_user(TOKEN.search(page)[0]) == maria
        assert ApiToken.objects.get().made_by.get_username() == "ada"
        assert AuditEvent.objects.get(action=AccessAudit.TOKEN_MADE).user_name == "ada"

    def test_the_list_shows_the_tokens_of_all(self, desk, maria):
        tokens.issue(maria, name="backup")
        tokens.issue(User.objects.create_user("ben"))

        page = desk.get(self.LIST).text

        assert "backup" in page
        assert "ben" in page
        assert "the command line" in page
        assert not TOKEN.search(page)

    def test_an_administrator_revokes_a_token(self, desk, maria):
        token = tokens.issue(maria)

        page = self.revoke(desk, ApiToken.objects.get()).text

        assert "Tokens revoked: 1." in page
        assert tokens.find_user(token) is None

    def test_only_superusers_make_and_revoke_tokens_of_superusers(self, desk):
        root = User.objects.create_superuser("root")
        token = tokens.issue(root)

        made, revoked = self.add(desk, root), self.revoke(desk, ApiToken.objects.get())

        assert made.status_code == 422
        assert "Only superusers can revoke" in revoked.text
        assert tokens.find_user(token) == root
        assert ApiToken.objects.count() == 1

    def test_a_reviewer_sees_no_tokens(self, maria):
        browser = Client()
        browser.force_login(assign(User.objects.create_user("rosa"), Role.REVIEWER))

        assert browser.get(self.LIST).status_code == 403
        assert self.add(browser, maria).status_code == 403

    def test_the_tokens_of_a_user_are_deleted_with_the_user(self, desk, maria):
        tokens.issue(maria)

        desk.post(f"/admin/auth/user/{maria.pk}/delete/", {"post": "yes"})

        assert not User.objects.filter(username="maria").exists()
        assert not ApiToken.objects.exists()


class TestTimeZone:
    def test_times_are_in_the_chosen_zone_with_utc_beside(self, browser_of_maria, maria):
        ApiToken.objects.create(user=maria, prefix="sw_x", digest="x")
        ApiToken.objects.update(created_at=NOON)

        page = browser_of_maria.post(ZONE, {"time_zone": "Europe/Berlin"}, follow=True).text

        assert "Times are shown in Europe/Berlin." in page
        assert 'data-zone="Europe/Berlin"' in page
        assert "29 Nov 2026, 13:36:13 CET (12:36:13 UTC)" in page
        assert '<option value="Europe/Berlin" selected>' in page

    def test_the_browser_decides_again(self, browser_of_maria, maria):
        Preferences.objects.create(user=maria, time_zone="Asia/Tokyo")

        page = browser_of_maria.post(ZONE, {"time_zone": ""}, follow=True).text

        assert "data-zone" not in page

    @pytest.mark.parametrize("zone", ["Europe/Atlantis", "../../etc/passwd", "posixrules"])
    def test_an_unknown_zone_is_refused(self, browser_of_maria, zone):
        answer = browser_of_maria.post(ZONE, {"time_zone": zone})

        assert answer.status_code == 422
        assert "Choose a time zone from the list" in answer.text
        assert not Preferences.objects.exists()

    def test_a_zone_that_no_longer_exists_is_as_none(self, browser_of_maria, maria):
        Preferences.objects.create(user=maria, time_zone="Europe/Atlantis")
        maria.api_tokens.create(prefix="sw_x", digest="x")
        ApiToken.objects.update(created_at=NOON)

        assert ">29 Nov 2026, 12:36:13 UTC</time>" in browser_of_maria.get(PAGE).text

    def test_the_zone_of_one_user_is_not_that_of_the_next(self, browser_of_maria, maria):
        Preferences.objects.create(user=maria, time_zone="Asia/Tokyo")
        browser_of_maria.get(PAGE)

        assert times.exact(NOON) == "29 Nov 2026, 12:36:13 UTC"

    def test_another_day_is_said(self, maria):
        Preferences.objects.create(user=maria, time_zone="Pacific/Auckland")

        with times.in_utc():
            times.use_zone_of(maria)
            written = times.exact(NOON)

        assert written == "30 Nov 2026, 01:36:13 NZDT (29 Nov 2026, 12:36:13 UTC)"

    def test_the_preference_comes_with_the_user(self, browser_of_maria, maria, django_assert_max_num_queries):
        Preferences.objects.create(user=maria, time_zone="Asia/Tokyo")

        with django_assert_max_num_queries(100) as done:
            browser_of_maria.get("/password/")

        read = [query["sql"] for query in done.captured_queries if "access_preferences" in query["sql"]]
        assert len(read) == 1
        assert "auth_user" in read[0]
