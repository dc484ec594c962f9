"""Every sign-in is reserved first: which ones count, which are blocked and which are released."""

import base64
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from setup_wizard.attempts import sign_ins
from setup_wizard.attempts.models import SentSignIn
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret

pytestmark = pytest.mark.django_db

USERNAME = "admin@example.com"
ACCOUNT = sign_ins.Account((":".join(["AB"] * 32),), USERNAME)
WRONG = Credentials(username=USERNAME, password=Secret("CANARY-wrong"))


def use_up(account=ACCOUNT, times=3):
    for _ in range(times):
        sign_ins.reserve(account, Credentials(username=USERNAME, password=Secret(f"CANARY-{uuid4()}"))).refuse()


class TestReservations:
    def test_accepted_sign_ins_do_not_count(self):
        for _ in range(9):
            with sign_ins.reserved(ACCOUNT, WRONG):
                pass

        assert sign_ins.count_refused(ACCOUNT) == sign_ins.RefusedSignIns(0)

    def test_same_credentials_wait_for_the_answer_to_the_first_try(self):
        first = sign_ins.reserve(ACCOUNT, WRONG)

        with pytest.raises(sign_ins.SignInBlocked) as block:
            sign_ins.reserve(ACCOUNT, WRONG)

        assert block.value.is_busy
        first.refuse()
        assert "refused" in sign_ins.blocked(ACCOUNT, WRONG).message

    def test_accepted_credentials_do_not_wait(self):
        with sign_ins.reserved(ACCOUNT, WRONG):
            pass

        sign_ins.reserve(ACCOUNT, WRONG)
        sign_ins.reserve(ACCOUNT, WRONG)

    def test_sign_in_of_a_joining_node_does_not_block_polling(self):
        sign_ins.reserve(ACCOUNT, WRONG, bootstrap_of=uuid4())

        with sign_ins.reserved(ACCOUNT, WRONG):
            pass

    def test_sign_in_counts_after_a_crash_before_the_answer(self):
        for _ in range(3):
            sign_ins.reserve(ACCOUNT, WRONG)
            SentSignIn.objects.update(at=timezone.now() - timedelta(seconds=31))

        block = sign_ins.blocked(ACCOUNT, WRONG)

        assert "did not answer 3 sign-ins of this wizard" in block.message

    def test_running_sign_ins_block_others_for_a_moment(self):
        for _ in range(3):
            sign_ins.reserve(ACCOUNT, Credentials(username=USERNAME, password=Secret(f"CANARY-{uuid4()}")))

        with pytest.raises(sign_ins.SignInBlocked) as block:
            sign_ins.reserve(ACCOUNT, WRONG)

        assert block.value.is_busy

    def test_accepted_credentials_release_their_lost_sign_ins(self):
        sign_ins.reserve(ACCOUNT, WRONG).lose()
        sign_ins.reserve(ACCOUNT, WRONG).refuse()

        with sign_ins.reserved(ACCOUNT, WRONG, retry=True):
            pass

        assert sign_ins.count_refused(ACCOUNT).count == 1
        assert sign_ins.blocked(ACCOUNT, WRONG) is None

    def test_refusals_less_than_the_window_apart_add_up(self):
        for minutes in (20, 10, 0):
            use_up(times=1)
            newest = SentSignIn.objects.order_by("-pk")[0]
            SentSignIn.objects.filter(pk=newest.pk).update(at=timezone.now() - timedelta(minutes=minutes))

        assert sign_ins.count_refused(ACCOUNT).count == 3

    def test_rows_of_an_older_key_count_while_it_is_configured(self, settings):
        use_up()
        new, [old] = base64.b64encode(bytes(32)).decode(), settings.SETUP_WIZARD_CREDENTIAL_KEYS

        settings.SETUP_WIZARD_CREDENTIAL_KEYS = [new, old]
        assert sign_ins.count_refused(replace(ACCOUNT)).count == 3

        settings.SETUP_WIZARD_CREDENTIAL_KEYS = [new]
        assert sign_ins.count_refused(replace(ACCOUNT)).count == 0

    def test_certificates_of_one_cluster_share_the_count(self):
        use_up()

        renewed = sign_ins.Account((":".join(["CD"] * 32), *ACCOUNT.certificates), USERNAME)

        assert sign_ins.blocked(renewed, WRONG)

    def test_allowed_credentials_are_sent_until_they_are_refused(self):
        use_up()
        sign_ins.allow_once(ACCOUNT, WRONG)

        with sign_ins.reserved(ACCOUNT, WRONG):
            pass
        sign_ins.reserve(ACCOUNT, WRONG).refuse()

        with pytest.raises(sign_ins.SignInBlocked):
            sign_ins.reserve(ACCOUNT, WRONG)

    def test_refusals_of_others_do_not_block_accepted_credentials(self):
        with sign_ins.reserved(ACCOUNT, WRONG):
            pass
        use_up()

        running = sign_ins.reserve(ACCOUNT, WRONG)

        with pytest.raises(sign_ins.SignInBlocked) as block:
            sign_ins.reserve(ACCOUNT, WRONG)
        assert block.value.is_busy
        running.lose()
        assert not sign_ins.blocked(ACCOUNT, WRONG).is_busy

    def test_table_reveals_no_cluster_account_or_password(self):
        use_up()

        rows = str(list(SentSignIn.objects.values()))

        assert "CANARY" not in rows
        assert USERNAME not in rows
        assert "AB:AB" not in rows

    def test_purge_deletes_rows_that_no_longer_count(self):
        use_up()
        sign_ins.save_policy(ACCOUNT, None)

        assert sign_ins.purge(timezone.now()) == 1
        assert sign_ins.purge(timezone.now() + timedelta(days=1)) == 3
        assert not SentSignIn.objects.exists()
