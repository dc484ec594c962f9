"""The four groups that come with the product."""

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


_PERMISSIONS = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.OPERATOR: frozenset({Permission.READ, Permission.OPERATE}),
    Role.REVIEWER: frozenset({Permission.READ, Permission.REVIEW}),
    Role.ADMINISTRATOR: frozenset(Permission),
}


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
