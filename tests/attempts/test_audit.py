"""The audit log has everything that users do, cannot be changed, and nothing happens without its entry."""

from contextlib import contextmanager

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.utils import timezone

from setup_wizard.access import audit, first_admin, tokens
from setup_wizard.access.append_only import AppendOnlyError
from setup_wizard.access.audit import AuditEvent, AuditOutcome
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.models import ApiToken, SetupToken
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import engine
from setup_wizard.attempts.audit_actions import AttemptAudit
from setup_wizard.attempts.choices import Choice
from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.states import Reason, State
from setup_wizard.history import reviews
from setup_wizard.history.audit_actions import ReviewAudit
from setup_wizard.history.models import ReviewMark, ReviewNote
from setup_wizard.nodes import probing, trust
from setup_wizard.nodes.address import Address
from setup_wizard.nodes.audit_actions import NodeAudit
from setup_wizard.nodes.models import TrustedCertificate
from setup_wizard.nodes.probe import probe
from setup_wizard.project.demo.models import SignInLink
from setup_wizard.project.demo.sign_in_links import create_link
from tests.attempts.attempt_rows import add_attempt
from tests.attempts.conftest import PASSWORD, follow, tick

SIGN_IN = "seven quiet otters"
CLIENT = {"REMOTE_ADDR": "10.0.0.66"}


@pytest.fixture
def ada(db):
    return assign(User.objects.create_user("ada", password=SIGN_IN), Role.ADMINISTRATOR)


@pytest.fixture
def desk(ada):
    browser = Client(**CLIENT)
    browser.force_login(ada)
    return browser


@pytest.fixture
def waiting(maria):
    return add_attempt(
        maria, state=State.NEEDS_OPERATOR, reason=Reason.LOST_CONTACT, resume_state="in_progress"
    )  # fmt: skip


def trail(action):
    return list(AuditEvent.objects.filter(action=action))


@contextmanager
def full_trail():
    """Make the database refuse new audit entries, as a full disk would."""
    refuse = "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"
            )
            refuse = "FOR EACH ROW EXECUTE FUNCTION disk_full()"
        cursor.execute(f"CREATE TRIGGER disk_full BEFORE INSERT ON access_auditevent {refuse}")
        with pytest.raises(DatabaseError, match="the disk is full"):
            yield
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION disk_full() CASCADE")
        else:
            cursor.execute("DROP TRIGGER disk_full")


class TestAppendOnly:
    def test_models_refuse_to_change_or_delete_audit_entries(self, maria):
        audit.record(AccessAudit.SIGN_OUT, by=maria)
        row = AuditEvent.objects.get(action=AccessAudit.SIGN_OUT)

        for act in (row.save, row.delete, AuditEvent.objects.all().delete):
            with pytest.raises(AppendOnlyError):
                act()
        with pytest.raises(AppendOnlyError):
            AuditEvent.objects.update(user_name="nobody")
        with pytest.raises(AppendOnlyError):
            AuditEvent.objects.bulk_update([row], ["user_name"])

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE access_auditevent SET user_name = 'nobody'",
            "DELETE FROM access_auditevent",
            "TRUNCATE access_auditevent",
        ],
    )
    def test_database_refuses_to_change_audit_entries(self, maria, statement):
        if statement.startswith("TRUNCATE") and connection.vendor != "postgresql":
            pytest.skip("only PostgreSQL has it")
        audit.record(AccessAudit.SIGN_OUT, by=maria)

        with (
            pytest.raises(DatabaseError, match="access_auditevent is append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

        assert trail(AccessAudit.SIGN_OUT)[0].user_name == "maria"

    @pytest.mark.parametrize(
        "statement",
        ["UPDATE attempts_event SET message = 'x'", "DELETE FROM attempts_event", "TRUNCATE attempts_event"],
    )
    def test_database_refuses_to_change_events(self, maria, statement):
        if statement.startswith("TRUNCATE") and connection.vendor != "postgresql":
            pytest.skip("only PostgreSQL has it")
        attempt = add_attempt(maria)
        connection.check_constraints()  # what is still to be checked at the end keeps PostgreSQL from truncating

        with (
            pytest.raises(DatabaseError, match="attempts_event is append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

        assert attempt.events.get().message == "Started by maria"

    def test_deleting_related_rows_keeps_events(self, maria):
        attempt = add_attempt(maria)

        for going in (attempt, maria):
            with pytest.raises(ProtectedError):
                going.delete()

        assert attempt.events.count() == 1

    def test_audit_entries_outlive_the_account(self, maria):
        audit.record(AccessAudit.SIGN_OUT, by=maria)
        number = maria.pk

        maria.delete()

        assert (trail(AccessAudit.SIGN_OUT)[0].user_id, trail(AccessAudit.SIGN_OUT)[0].user_name) == (
            number,
            "maria",
        )


class TestContents:
    def test_audit_has_sign_ins_and_sign_outs_with_address(self, ada):
        browser = Client(**CLIENT)
        browser.post("/sign-in/", {"username": "ada", "password": SIGN_IN})
        browser.post("/sign-out/")

        for action in (AccessAudit.SIGN_IN, AccessAudit.SIGN_OUT):
            (row,) = trail(action)
            assert (row.user_id, row.user_name, row.address) == (ada.pk, "ada", "10.0.0.66")
            assert row.outcome == AuditOutcome.DONE
            assert abs((timezone.now() - row.at).total_seconds()) < 60

    def test_audit_has_refused_sign_ins(self, ada, client):
        client.post("/sign-in/", {"username": "ada", "password": "eight loud otters"})
        client.post("/sign-in/", {"username": "eight loud otters", "password": "x"})  # the wrong field

        unknown, known = trail(AccessAudit.SIGN_IN_FAILED)
        assert (known.target_name, known.target_id, known.outcome) == ("ada", str(ada.pk), AuditOutcome.REFUSED)
        assert (unknown.target_name, unknown.target_id) == ("unknown user name", "")

    def test_audit_has_a_start_and_the_approval_before_it(self, start, fresh_node, maria):
        attempt = start(fresh_node)

        (started,), (approved,) = trail(AttemptAudit.START), trail(NodeAudit.TRUST)
        assert (started.user_name, started.target_kind, started.target_id) == ("maria", "attempt", str(attempt.pk))
        assert started.fingerprint == approved.fingerprint == attempt.fingerprint
        assert "redis-prod.example.com" in started.target_name
        assert approved.target_name == attempt.address

    def test_audit_has_the_new_certificate_of_a_bootstrap(self, start, fresh_node):
        attempt = follow(start(fresh_node))

        newest, _ = trail(NodeAudit.TRUST)
        assert newest.fingerprint == attempt.new_fingerprint
        assert newest.address is None
        assert "accepted in advance" in newest.note

    def test_audit_has_a_refused_address(self, maria):
        with pytest.raises(probing.ProbeFailed):
            probing.probe_node("169.254.169.254:9443", by=maria)

        (row,) = trail(NodeAudit.ADDRESS_REFUSED)
        assert (row.user_name, row.target_name, row.outcome) == ("maria", "169.254.169.254:9443", AuditOutcome.REFUSED)

    @pytest.mark.usefixtures("one_minute")
    def test_audit_limits_entries_for_refused_addresses(self, maria, settings):
        settings.SETUP_WIZARD_PROBES_PER_MINUTE = 3
        refusals = []
        for _ in range(5):
            with pytest.raises(probing.ProbeFailed) as refusal:
                probing.probe_node("169.254.169.254:9443", by=maria)
            refusals.append(refusal.type)

        assert refusals[3:] == [probing.TooManyProbes] * 2
        assert len(trail(NodeAudit.ADDRESS_REFUSED)) == 3

    def test_audit_has_an_address_refused_after_start(self, start, fresh_node, settings):
        attempt = start(fresh_node)
        tick(attempt)
        settings.SETUP_WIZARD_ALLOW_LOOPBACK = False

        tick(attempt)

        (row,) = trail(NodeAudit.ADDRESS_REFUSED)
        assert (row.target_id, row.outcome) == (str(attempt.pk), AuditOutcome.REFUSED)

    def test_audit_has_an_address_refused_after_the_request(self, start, fresh_node, settings):
        attempt = follow(start(fresh_node), until=lambda attempt: attempt.may_have_sent)
        settings.SETUP_WIZARD_ALLOW_LOOPBACK = False

        tick(attempt)

        (row,) = trail(NodeAudit.ADDRESS_REFUSED)
        assert (row.target_id, attempt.why) == (str(attempt.pk), Reason.LOST_CONTACT)

    def test_audit_has_created_and_revoked_tokens(self, maria):
        token = tokens.issue(maria)
        tokens.revoke(maria, token)

        (made,), (revoked,) = trail(AccessAudit.TOKEN_MADE), trail(AccessAudit.TOKEN_REVOKED)
        assert made.target_id == revoked.target_id == token[: tokens.PREFIX_LENGTH]
        assert token not in made.target_name + revoked.target_name

    def test_audit_has_reviews_and_exports(self, desk, maria):
        attempt = add_attempt(maria)
        desk.post(f"/admin/attempts/attempt/{attempt.pk}/change/", {"note": "It was a typo", "mark": "on"})
        desk.post("/admin/attempts/attempt/", {"action": "export_csv", "_selected_action": [str(attempt.pk)]})

        assert [row.target_id for action in (ReviewAudit.NOTE, ReviewAudit.MARK) for row in trail(action)] == [
            str(attempt.pk)
        ] * 2
        (exported,) = trail(ReviewAudit.EXPORT)
        assert (exported.user_name, exported.target_name, exported.note) == (
            "ada",
            "1 attempt",
            "as CSV",
        )

    def test_audit_has_changes_of_roles_and_accounts(self, desk, maria):
        reviewers = Group.objects.get(name=Role.REVIEWER)
        change_groups(desk, maria, [reviewers])
        desk.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": [maria.pk], "post": "yes"})

        (changed,), (deleted,) = trail(AccessAudit.ACCOUNT_CHANGED), trail(AccessAudit.ACCOUNT_DELETED)
        assert (changed.user_name, changed.address, changed.target_name) == ("ada", "10.0.0.66", "maria")
        assert "in: reviewer" in changed.note
        assert deleted.target_name == "maria"

    def test_audit_has_a_password_set_by_an_administrator(self, desk, maria):
        set_password(desk, maria)

        (changed,) = trail(AccessAudit.ACCOUNT_CHANGED)
        assert changed.target_name == "maria"
        assert "nine quiet otters" not in changed.note

    def test_every_choice_has_an_audit_action(self):
        assert {choice.value for choice in Choice} <= set(audit.labels())

    def test_audit_contains_no_secret(self, start, fresh_node, client, maria):
        client.post("/sign-in/", {"username": "maria", "password": PASSWORD})
        token = tokens.issue(maria)
        setup_token = first_admin.create_token()
        follow(start(fresh_node))

        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM access_auditevent")
            told = repr(cursor.fetchall())
        for secret in (PASSWORD, token, token.removeprefix(tokens.PREFIX), setup_token):
            assert secret not in told
        assert "redis-prod.example.com" in told


def change_groups(desk, user, groups):
    stamps = {"last_login_0": "", "last_login_1": ""}
    fields = {"username": user.username, "is_active": "on", "groups": [group.pk for group in groups], **stamps}
    return desk.post(f"/admin/auth/user/{user.pk}/change/", fields)


def set_password(desk, user):
    fields = {"password1": "nine quiet otters", "password2": "nine quiet otters", "usable_password": "true"}
    return desk.post(f"/admin/auth/user/{user.pk}/password/", fields)


class TestFullDatabase:
    def test_start_fails_without_its_audit_entry(self, start, fresh_node, maria):
        seen = probe(Address.parse(fresh_node.address))
        with full_trail():
            trust.approve(seen.endpoint, seen.certificate, by=maria)
        assert not TrustedCertificate.objects.exists()

        trust.approve(seen.endpoint, seen.certificate, by=maria)
        with full_trail():
            start(fresh_node)
        assert not Attempt.objects.exists()
        assert not Event.objects.exists()

    def test_sign_in_fails_without_its_audit_entry(self, ada):
        browser = Client()
        with full_trail():
            browser.post("/sign-in/", {"username": "ada", "password": SIGN_IN})

        ada.refresh_from_db()
        assert "_auth_user_id" not in browser.session
        assert ada.last_login is None

    def test_password_change_fails_without_its_audit_entry(self, desk, ada):
        new = "eleven calm herons"
        with full_trail():
            desk.post("/password/", {"old_password": SIGN_IN, "new_password1": new, "new_password2": new})

        ada.refresh_from_db()
        assert ada.check_password(SIGN_IN)

    def test_sign_in_link_stays_valid_without_its_audit_entry(self, db):
        link = create_link()
        with full_trail():
            Client().get(link)

        assert SignInLink.objects.get().used_at is None

    @pytest.mark.parametrize("choose", [Choice.KEEP_WATCHING, Choice.STOP_WATCHING])
    def test_choice_fails_without_its_audit_entry(self, waiting, maria, choose):
        before = Attempt.objects.filter(pk=waiting.pk).values().get()
        with full_trail():
            engine.choose(waiting.pk, choose, by=maria)

        assert Attempt.objects.filter(pk=waiting.pk).values().get() == before
        assert waiting.events.count() == 1

    def test_token_changes_fail_without_their_audit_entry(self, maria):
        with full_trail():
            tokens.issue(maria)
        assert not ApiToken.objects.exists()

        token = tokens.issue(maria)
        with full_trail():
            tokens.revoke(maria, token)
        assert tokens.find_user(token) == maria

    def test_first_administrator_fails_without_its_audit_entry(self, db):
        token = first_admin.create_token()
        with full_trail():
            Client().post("/first-administrator/", first(token))

        assert not User.objects.exists()
        assert SetupToken.objects.get().used_at is None

    def test_review_fails_without_its_audit_entry(self, maria, ada):
        attempt = add_attempt(maria)
        with full_trail():
            reviews.write(Attempt.objects.filter(pk=attempt.pk), by=ada, note="seen", mark=True)

        assert not ReviewNote.objects.exists()
        assert not ReviewMark.objects.exists()

    def test_export_fails_without_its_audit_entry(self, desk, maria):
        attempt = add_attempt(maria)
        with full_trail(), transaction.atomic():
            desk.post("/admin/attempts/attempt/", {"action": "export_csv", "_selected_action": [str(attempt.pk)]})

    def test_account_change_fails_without_its_audit_entry(self, desk, maria):
        with full_trail():
            change_groups(desk, maria, [])
        assert maria.groups.exists()

        with full_trail():
            desk.post("/admin/auth/user/", {"action": "delete_selected", "_selected_action": [maria.pk], "post": "yes"})
        assert User.objects.filter(pk=maria.pk).exists()

        with full_trail():
            set_password(desk, maria)
        maria.refresh_from_db()
        assert not maria.check_password("nine quiet otters")


def first(token):
    return {"token": token, "username": "ada", "password1": SIGN_IN, "password2": SIGN_IN}


class TestAdministration:
    def test_reviewer_searches_and_filters_the_audit_log(self, client, maria):
        rosa = assign(User.objects.create_user("rosa"), Role.REVIEWER)
        audit.record(AttemptAudit.START, by=maria, target=audit.Target("attempt", "1", "Create on 10.0.0.5:9443"))
        audit.record(AccessAudit.SIGN_OUT, by=rosa)
        client.force_login(rosa)

        found = client.get("/admin/access/auditevent/?q=10.0.0.5").text
        filtered = client.get("/admin/access/auditevent/?action=sign-out").text

        at = AuditEvent.objects.get(action=AttemptAudit.START).at
        assert "Create on 10.0.0.5:9443" in found
        assert "maria" in found
        assert f"{at.day} {at:%b %Y, %H:%M:%S}" in found
        assert "Create on 10.0.0.5:9443" not in filtered

    def test_filter_offers_the_actions_of_every_app(self, client, db):
        client.force_login(User.objects.create_superuser("root"))

        page = client.get("/admin/access/auditevent/").text

        for label in ("Signed out", "Approved a certificate", "Started a setup", "Exported attempts"):
            assert f">{label}</a>" in page

    @pytest.mark.parametrize("way", ["add/", "{}/delete/", "{}/change/"])
    def test_administration_cannot_change_audit_entries(self, client, maria, way):
        client.force_login(User.objects.create_superuser("root"))
        audit.record(AttemptAudit.START, by=maria)
        row = AuditEvent.objects.first()

        answer = client.post(f"/admin/access/auditevent/{way.format(row.pk)}", {"post": "yes", "user_name": "nobody"})

        assert answer.status_code == 403
        assert AuditEvent.objects.get(pk=row.pk).user_name == row.user_name
