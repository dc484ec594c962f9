"""The page of users: what each role allows, the role of each user, and how it is changed."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.roles import NO_ROLE, SUPERUSER, Role, assign, held_by

pytestmark = pytest.mark.django_db

PAGE = "/admin/auth/user/"


@pytest.fixture
def ada():
    return assign(User.objects.create_user("ada", first_name="Ada", last_name="Ng"), Role.ADMINISTRATOR)


@pytest.fixture
def desk(ada):
    browser = Client()
    browser.force_login(ada)
    return browser


def change(browser, action, *users):
    chosen = [str(user.pk) for user in users]
    return browser.post(PAGE, {"action": action, "_selected_action": chosen}, follow=True).text


def groups_of(user):
    return set(user.groups.values_list("name", flat=True))


def test_the_page_explains_every_role(desk):
    page = desk.get(PAGE).text

    for held in (*Role, SUPERUSER, NO_ROLE):
        assert held.sentence in page


def test_a_row_shows_role_last_sign_in_and_activity(desk, maria):
    Client().force_login(maria)

    page = desk.get(f"{PAGE}?q=maria").text

    maria.refresh_from_db()
    assert '<td class="field-role">operator</td>' in page
    assert f"{maria.last_login:%b %Y, %H:%M:%S} UTC" in page
    assert 'alt="True"' in page


def test_users_are_filtered_by_role_or_by_having_none(desk, maria):
    User.objects.create_user("nils")

    page = desk.get(PAGE).text
    without_role = desk.get(f"{PAGE}?groups__isnull=True").text

    assert "By role" in page
    assert 'href="?groups__isnull=True">no role</a>' in page
    assert ">nils</a>" in without_role
    assert ">maria</a>" not in without_role


@pytest.mark.parametrize("page", ["add/", "{}/password/"])
def test_the_rules_of_a_password_speak_of_the_user_it_is_for(desk, maria, page):
    text = desk.get(f"{PAGE}{page.format(maria.pk)}").text

    assert "At least 12 characters" in text
    assert "Your password" not in text


def test_a_role_is_changed_from_the_list(desk, maria):
    olaf = User.objects.create_user("olaf")

    page = change(desk, "make_reviewer", maria, olaf)

    assert "Roles changed: 2." in page
    assert groups_of(maria) == groups_of(olaf) == {Role.REVIEWER}
    entry = AuditEvent.objects.get(action=AccessAudit.ACCOUNT_CHANGED, target_name="maria")
    assert (entry.user_name, entry.note) == ("ada", "Role; in: reviewer")


def test_a_role_is_taken_away_and_other_groups_stay(desk, maria):
    maria.groups.add(Group.objects.create(name="night shift"))

    change(desk, "take_role", maria)

    assert groups_of(maria) == {"night shift"}


def test_administrators_change_neither_themselves_nor_superusers(desk, ada):
    root = User.objects.create_superuser("root")

    page = change(desk, "make_viewer", ada, root)

    assert "Another administrator can change your own role." in page
    assert "Only superusers can change root" in page
    assert groups_of(ada) == {Role.ADMINISTRATOR}
    assert groups_of(root) == set()
    assert not AuditEvent.objects.filter(action=AccessAudit.ACCOUNT_CHANGED).exists()


def test_a_reviewer_cannot_change_a_role(maria):
    browser = Client()
    browser.force_login(assign(User.objects.create_user("rosa"), Role.REVIEWER))

    answer = browser.post(PAGE, {"action": "make_administrator", "_selected_action": [str(maria.pk)]})

    assert answer.status_code == 403
    assert groups_of(maria) == {Role.OPERATOR}


def test_the_form_of_a_user_explains_the_roles(desk, maria):
    page = desk.get(f"{PAGE}{maria.pk}/change/").text

    assert all(f"{role}: {role.sentence}" in page for role in Role)


def test_new_user_gets_a_role_on_the_first_page(desk):
    page = desk.get(f"{PAGE}add/").content.decode()
    reviewers = Group.objects.get(name=Role.REVIEWER)
    word = "kestrel-Moor-77-lamp"

    desk.post(f"{PAGE}add/", {"username": "rita", "password1": word, "password2": word, "groups": [reviewers.pk]})

    assert "Without a role, the user can sign in but sees nothing." in page
    assert groups_of(User.objects.get(username="rita")) == {Role.REVIEWER}
    assert AuditEvent.objects.get(target_name="rita").note == "in: reviewer"


def test_a_group_of_administrators_names_its_permissions(maria):
    Group.objects.get(name=Role.OPERATOR).delete()
    night = Group.objects.create(name="night shift")
    maria.groups.add(night)

    assert [held.sentence for held in held_by(maria)] == ["Has no permission."]
    night.permissions.set(Group.objects.get(name=Role.VIEWER).permissions.all())
    assert [held.sentence for held in held_by(maria)] == ["May read attempts."]
