"""The four groups that come with the product."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.apps import apps as all_apps
from django.apps.registry import Apps
from django.contrib.auth import models as auth_models
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, User
from django.db import DEFAULT_DB_ALIAS, transaction

from setup_wizard.access.permissions import Permission


class Role(StrEnum):
    """A group by its name. Users without a group have no permissions, unless they are superusers."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    ADMINISTRATOR = "administrator"

    @property
    def permissions(self) -> frozenset[Permission]:
        """The permissions of its members."""
        return _PERMISSIONS[self]

    @property
    def sentence(self) -> str:
        """What its members may do, for people."""
        return _SENTENCES[self]


_PERMISSIONS = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.OPERATOR: frozenset({Permission.READ, Permission.OPERATE}),
    Role.REVIEWER: frozenset({Permission.READ, Permission.REVIEW}),
    Role.ADMINISTRATOR: frozenset(Permission),
}
_SENTENCES = {
    Role.VIEWER: "Sees clusters and attempts, and changes nothing.",
    Role.OPERATOR: "Sets up nodes and clusters, and decides what happens to attempts.",
    Role.REVIEWER: "Sees clusters and attempts, reviews them, and reads the audit log. Starts nothing.",
    Role.ADMINISTRATOR: "Does what operators and reviewers do. Manages users, API tokens and approved certificates.",
}


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role of a user: its name, and a sentence about what it allows."""

    name: str
    sentence: str


SUPERUSER = HeldRole("superuser", "Has every permission, and is the only one who can change other superusers.")
NO_ROLE = HeldRole("no role", "Can sign in, but sees nothing until an administrator grants a role.")


def held_by(user: User) -> list[HeldRole]:
    """List the roles of a user, at least one; groups that administrators have added name their permissions."""
    if user.is_superuser:
        return [SUPERUSER]
    return [_described(group) for group in sorted(user.groups.all(), key=lambda group: group.name)] or [NO_ROLE]


def _described(group: Group) -> HeldRole:
    if group.name in set(Role):
        return HeldRole(group.name, Role(group.name).sentence)
    allowed = sorted(str(permission.name) for permission in group.permissions.all())
    return HeldRole(group.name, f"{'. '.join(allowed)}." if allowed else "Has no permission.")


def change(user: User, role: Role | None) -> None:
    """Give the user this one of the four roles, or none of them; groups that administrators have added stay."""
    with transaction.atomic():
        user.groups.remove(*Group.objects.filter(name__in=list(Role)))
        if role:
            assign(user, role)


def assign(user: User, role: Role) -> User:
    """Add the user to a role; returns the user."""
    user.groups.add(Group.objects.get(name=role.value))
    return user


def create_groups(apps: Apps = all_apps, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Create the missing groups with their permissions; existing groups keep the permissions they have.

    Called after every `migrate` and `flush`. The permissions have to exist first, and Django creates them app by app in
    an order that we cannot choose.
    """
    try:
        apps.get_model("auth", "Group"), apps.get_model("access", "Capability")
    except LookupError:  # only some apps have been migrated so far
        return
    with transaction.atomic(using):
        create_permissions(all_apps.get_app_config("access"), verbosity=0, using=using)
        rows = auth_models.Permission.objects.using(using).filter(content_type__app_label="access")
        by_codename = {row.codename: row for row in rows}
        for role in Role:
            group, is_new = Group.objects.using(using).get_or_create(name=role.value)
            if is_new:
                group.permissions.set([by_codename[permission.codename] for permission in role.permissions])
