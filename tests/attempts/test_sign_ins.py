"""The gate that every sign-in of ours passes: what is counted, held back and given back."""

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


class TestTheGate:
    def test_what_is_accepted_costs_nothing(self):
        for _ in range(9):
            with sign_ins.sending(ACCOUNT, WRONG):
                pass

        assert sign_ins.tally(ACCOUNT) == sign_ins.Tally(0)

    def test_the_same_credentials_wait_for_the_answer_to_their_first_try(self):
        first = sign_ins.reserve(ACCOUNT, WRONG)

        with pytest.raises(sign_ins.HeldBack) as held:
            sign_ins.reserve(ACCOUNT, WRONG)

        assert held.value.is_busy
        first.refuse()
        assert "refused" in sign_ins.held_back(ACCOUNT, WRONG).message

    def test_credentials_that_were_accepted_do_not_wait(self):
        with sign_ins.sending(ACCOUNT, WRONG):
            pass

        sign_ins.reserve(ACCOUNT, WRONG)
        sign_ins.reserve(ACCOUNT, WRONG)

    def test_a_joining_node_that_signs_in_holds_back_no_watching(self):
        sign_ins.reserve(ACCOUNT, WRONG, bootstrap_of=uuid4())

        with sign_ins.sending(ACCOUNT, WRONG):
            pass

    def test_a_crash_between_sending_and_answer_counts(self):
        for _ in range(3):
            sign_ins.reserve(ACCOUNT, WRONG)
            SentSignIn.objects.update(at=timezone.now() - timedelta(seconds=31))

        held = sign_ins.held_back(ACCOUNT, WRONG)

        assert "3 of our sign-ins" in held.message

    def test_sign_ins_under_way_hold_others_back_for_a_moment(self):
        for _ in range(3):
            sign_ins.reserve(ACCOUNT, Credentials(username=USERNAME, password=Secret(f"CANARY-{uuid4()}")))

        with pytest.raises(sign_ins.HeldBack) as held:
            sign_ins.reserve(ACCOUNT, WRONG)

        assert held.value.is_busy

    def test_accepted_credentials_free_what_was_lost_of_them(self):
        sign_ins.reserve(ACCOUNT, WRONG).lose()
        sign_ins.reserve(ACCOUNT, WRONG).refuse()

        with sign_ins.sending(ACCOUNT, WRONG, again=True):
            pass

        assert sign_ins.tally(ACCOUNT).count == 1
        assert sign_ins.held_back(ACCOUNT, WRONG) is None

    def test_refusals_less_than_the_window_apart_add_up(self):
        for minutes in (20, 10, 0):
            use_up(times=1)
            newest = SentSignIn.objects.order_by("-pk")[0]
            SentSignIn.objects.filter(pk=newest.pk).update(at=timezone.now() - timedelta(minutes=minutes))

        assert sign_ins.tally(ACCOUNT).count == 3

    def test_rows_of_an_older_key_count_while_it_is_configured(self, settings):
        use_up()
        new, [old] = base64.b64encode(bytes(32)).decode(), settings.SETUP_WIZARD_CREDENTIAL_KEYS

        settings.SETUP_WIZARD_CREDENTIAL_KEYS = [new, old]
        assert sign_ins.tally(replace(ACCOUNT)).count == 3

        settings.SETUP_WIZARD_CREDENTIAL_KEYS = [new]
        assert sign_ins.tally(replace(ACCOUNT)).count == 0

    def test_certificates_of_one_cluster_share_it(self):
        use_up()

        renewed = sign_ins.Account((":".join(["CD"] * 32), *ACCOUNT.certificates), USERNAME)

        assert sign_ins.held_back(renewed, WRONG)

    def test_an_order_holds_until_the_credentials_are_refused(self):
        use_up()
        sign_ins.order(ACCOUNT, WRONG)

        with sign_ins.sending(ACCOUNT, WRONG):
            pass
        sign_ins.reserve(ACCOUNT, WRONG).refuse()

        with pytest.raises(sign_ins.HeldBack):
            sign_ins.reserve(ACCOUNT, WRONG)

    def test_typos_of_others_do_not_stop_credentials_just_accepted(self):
        with sign_ins.sending(ACCOUNT, WRONG):
            pass
        use_up()

        under_way = sign_ins.reserve(ACCOUNT, WRONG)

        with pytest.raises(sign_ins.HeldBack) as held:
            sign_ins.reserve(ACCOUNT, WRONG)
        assert held.value.is_busy
        under_way.lose()
        assert not sign_ins.held_back(ACCOUNT, WRONG).is_busy

    def test_a_stolen_table_names_neither_cluster_nor_account(self):
        use_up()

        told = str(list(SentSignIn.objects.values()))

        assert "CANARY" not in told
        assert USERNAME not in told
        assert "AB:AB" not in told

    def test_rows_are_purged_when_they_no_longer_count(self):
        use_up()
        sign_ins.keep_policy(ACCOUNT, None)

        assert sign_ins.purge(timezone.now()) == 1
        assert sign_ins.purge(timezone.now() + timedelta(days=1)) == 3
        assert not SentSignIn.objects.exists()
