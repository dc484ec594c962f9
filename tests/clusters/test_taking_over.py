"""A plan that one operator began and another goes on with."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts import vault
from setup_wizard.clusters import checking, engine, plans
from setup_wizard.clusters.models import Run
from tests.clusters.conftest import CREDENTIALS, PASSWORD
from tests.clusters.test_pages import plan, save, start, wait_for_checks  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jonas(db):
    return assign(User.objects.create_user("jonas"), Role.OPERATOR)


@pytest.fixture
def pages_of_jonas(jonas):
    browser = Client()
    browser.force_login(jonas)
    return browser


@pytest.fixture
def filled_in(pages, plan):  # noqa: F811
    """A plan that is ready to start, with the password that maria entered."""
    save(pages, plan)
    plan.refresh_from_db()
    return plan


def test_start_with_the_password_of_another_person_is_refused(pages_of_jonas, filled_in):
    page = start(pages_of_jonas, filled_in, accept_permanent="on")

    assert page.redirect_chain[-1][0] == reverse("clusters:cluster", args=[filled_in.pk]) + "#id_password"
    assert page.content.decode().count("maria entered the password. Enter it again to continue") == 1
    assert not Run.objects.exists()


def test_plan_starts_once_the_password_is_entered_again(pages_of_jonas, filled_in, jonas):
    save(pages_of_jonas, filled_in, password=PASSWORD, password_again=PASSWORD)
    start(pages_of_jonas, filled_in, accept_permanent="on")

    assert Run.objects.get().started_by == jonas


def test_page_of_the_cluster_asks_who_takes_over_for_the_password(pages_of_jonas, filled_in):
    place = reverse("clusters:cluster", args=[filled_in.pk])
    shown = pages_of_jonas.get(place).content.decode()
    kept = save(pages_of_jonas, filled_in, password="", password_again="")

    assert "maria entered the password." in shown
    assert kept.status_code == 422


def test_plan_without_a_password_asks_for_it_and_says_nothing_of_an_older_one(pages, filled_in, maria):
    imported = plans.add(filled_in.content, by=maria)
    pages.post(reverse("clusters:check-again", args=[imported.pk]))
    page = start(pages, imported, accept_permanent="on").content.decode()

    assert "Enter the password to continue; everything else is saved." in page
    assert "was deleted" not in page
    assert not Run.objects.exists()


def test_checks_do_not_sign_in_with_the_password_of_another_person(filled_in, maria, jonas):
    assert plans.open_credentials(filled_in, by=maria) == CREDENTIALS
    with pytest.raises(vault.SecretUnavailable):
        plans.open_credentials(filled_in, by=jonas)
    assert [setup.credentials for setup in checking._setups(filled_in, jonas)] == [None] * 3


def test_engine_begins_no_run_with_the_password_of_another_person(filled_in, jonas):
    with pytest.raises(vault.SecretUnavailable):
        engine.begin_run(filled_in, version=filled_in.version, secret_id=filled_in.pk, by=jonas)

    assert not Run.objects.exists()
