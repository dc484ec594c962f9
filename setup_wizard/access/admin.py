"""Users, groups and tokens, for administrators, and the audit log, for reviewers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import models as auth_models
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.forms import CheckboxSelectMultiple, ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.html import escape, format_html
from django.views.decorators.debug import sensitive_post_parameters

from setup_wizard.access import audit, times, token_admin  # noqa: F401 - it registers the tokens
from setup_wizard.access.admin_site import ExistingRowsField, ReadOnlyAdmin, StrictModelAdmin
from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.forms import NewUserForm, PasswordOfUserForm
from setup_wizard.access.models import ApiToken
from setup_wizard.access.permissions import Permission, signed_in_user
from setup_wizard.access.roles import NO_ROLE, SUPERUSER, Role, change, held_by

if TYPE_CHECKING:
    from django.db.models import ManyToManyField, QuerySet

    AnyUserAdmin = UserAdmin[User]
else:
    AnyUserAdmin = UserAdmin

SHOWN_OF_FINGERPRINT = len("AB:CD:EF:01")

admin.site.unregister([User, Group])


class AccountsAdmin(StrictModelAdmin):
    """Base of what only administrators see; each change is saved together with its audit entry, or not at all."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record(request, AccessAudit.ACCOUNT_ADDED, obj, _permissions(obj))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record(request, AccessAudit.ACCOUNT_CHANGED, obj, f"{_fields(message)}{_permissions(obj)}")
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            _record(request, AccessAudit.ACCOUNT_DELETED, obj, "")
        return super().log_deletions(request, queryset)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Delete selected rows and write their audit entries: both or neither."""
        with transaction.atomic():
            return super().changelist_view(request, extra_context)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.ADMINISTER)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del obj
        return request.user.has_perm(Permission.ADMINISTER)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.ADMINISTER)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only superusers may change a superuser: otherwise an administrator could become one."""
        return request.user.has_perm(Permission.ADMINISTER) and not _outranks(obj, request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class RoleFilter(admin.RelatedFieldListFilter):
    """Narrows the users to a role, or to those without one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "role"
        self.empty_value_display = escape(NO_ROLE.name)


@admin.register(User)
class AccountAdmin(AccountsAdmin, AnyUserAdmin):
    """Users, and the groups they are in."""

    add_form = NewUserForm
    change_password_form = PasswordOfUserForm

    @method_decorator(sensitive_post_parameters())
    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name
        form_url: str = "",
    ) -> HttpResponse:
        """Set another user's password; for their own, administrators use the page that asks for the current one."""
        user = signed_in_user(request)
        # compares accounts, not the text in the URL: "07" is the seventh account too
        if user.has_usable_password() and self.get_object(request, unquote(id)) == user:
            return redirect("access:password")
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    list_display = ["username", "full_name", "email", "role", "last_sign_in", "is_active"]
    last_sign_in = times.column("last_login", "Last sign-in")
    list_filter = [("groups", RoleFilter), "is_active", "is_superuser"]
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "access/users.html"
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Name", {"fields": ["first_name", "last_name", "email"]}),
        ("Permissions", {"fields": ["is_active", "groups", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]

    add_fieldsets = [
        *UserAdmin.add_fieldsets,
        (
            None,
            {
                "classes": ["wide"],
                "fields": ["groups"],
                "description": "Without a role, the user can sign in but sees nothing.",
            },
        ),
    ]

    @admin.display(description="Role")
    def role(self, user: User) -> str:
        return ", ".join(held.name for held in held_by(user))

    @admin.display(description="Name", ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or "–"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"title": "Users and roles", "roles": [*Role], "others": [SUPERUSER, NO_ROLE]}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer to change the role of the selected users, beside deleting them."""
        changes = {f"make_{role}": _change_to(role, f"Change the role to {role}") for role in Role}
        changes["take_role"] = _change_to(None, "Take the role away")
        return {name: (act, name, text) for name, (act, text) in changes.items()} | super().get_actions(request)

    def change_roles(self, request: HttpRequest, users: "QuerySet[User]", role: Role | None) -> None:
        """Change the role of users, but of none that the administrator may not change."""
        by, changed = signed_in_user(request), 0
        for user in users.prefetch_related("groups"):
            if user == by:
                self.message_user(request, "Another administrator can change your own role.", messages.WARNING)
            elif not self.has_change_permission(request, user):
                self.message_user(request, f"Only superusers can change {user}, a superuser.", messages.WARNING)
            else:
                change(user, role)
                self.log_change(request, user, [{"changed": {"fields": ["Role"]}}])
                changed += 1
        if changed:
            self.message_user(request, f"Roles changed: {changed}.", messages.SUCCESS)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Let the tokens of a deleted user go with the user; they are not deleted otherwise, but revoked."""
        deleted, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, forbidden - {ApiToken._meta.verbose_name}, protected

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups__permissions")

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest | None = None, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        kwargs |= {"widget": CheckboxSelectMultiple, "form_class": ExistingRowsField}
        field = super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[arg-type]  # as Django does
        if isinstance(field, ModelMultipleChoiceField):
            field.label, field.help_text = "Role", ""
            field.label_from_instance = _with_sentence  # type: ignore[method-assign]  # as Django documents it
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        del obj
        # only superusers make superusers
        return ["last_login", "date_joined", *([] if request.user.is_superuser else ["is_superuser"])]


@admin.register(Group)
class RoleAdmin(AccountsAdmin, GroupAdmin):
    """Roles: the four that come with the product, and any others that administrators add."""

    filter_horizontal = []

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest | None = None, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        # only our own permissions have an effect
        offered = auth_models.Permission.objects.filter(
            content_type__app_label="access", content_type__model="capability"
        ).select_related("content_type")
        field = super().formfield_for_manytomany(
            db_field,
            request,
            widget=CheckboxSelectMultiple,
            **{**kwargs, "queryset": offered, "form_class": ExistingRowsField},
        )
        if isinstance(field, ModelMultipleChoiceField):
            field.label_from_instance = _name_of  # type: ignore[method-assign]  # as Django documents it
        return field


class AuditActionFilter(admin.SimpleListFilter):
    """Narrows the audit log to one action."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        del request, model_admin
        return list(audit.labels().items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        del request
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what, when, from where, and with what result."""

    list_display = ["when", "user_name", "address", "action_label", "target", "outcome", "note"]
    when = times.column("at", "Time", write=times.element)
    list_filter = [AuditActionFilter, "outcome", "target_kind"]
    search_fields = ["user_name", "address", "target_id", "target_name", "fingerprint", "note"]
    date_hierarchy = "at"
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Audit log", **(extra_context or {})})

    @admin.display(description="action", ordering="action")
    def action_label(self, event: AuditEvent) -> str:
        """The action as people read it."""
        return event.label

    @admin.display(description="target", ordering="target_name")
    def target(self, event: AuditEvent) -> str:
        """What it was applied to, and how the fingerprint of its certificate begins; the entry's page has all of it."""
        if not event.fingerprint:
            return event.target_name
        return format_html("{}<br><code>{}…</code>", event.target_name, event.fingerprint[:SHOWN_OF_FINGERPRINT])


def _record(request: HttpRequest, action: AccessAudit, obj: Any, note: str) -> None:
    target = audit.Target(obj._meta.model_name or "", str(obj.pk), str(obj))
    audit.record(action, by=signed_in_user(request), target=target, note=note)


def _permissions(obj: Any) -> str:
    if isinstance(obj, Group):
        return f"may: {_list(obj.permissions.order_by('codename').values_list('codename', flat=True))}"
    inactive = "" if obj.is_active else "; deactivated"
    superuser = "; superuser" if obj.is_superuser else ""
    return f"in: {_list(obj.groups.order_by('name').values_list('name', flat=True))}{superuser}{inactive}"


def _fields(message: Any) -> str:
    """Name the changed fields, never their values."""
    parts = message if isinstance(message, list) else []
    names = [name for part in parts for name in part.get("changed", {}).get("fields", [])]
    return f"{', '.join(names)}; " if names else ""


def _list(words: Any) -> str:
    return ", ".join(words) or "nothing"


def _name_of(obj: Any) -> str:
    return str(obj.name)


def _with_sentence(obj: Any) -> str:
    return f"{obj.name}: {Role(obj.name).sentence}" if obj.name in set(Role) else str(obj.name)


def _change_to(role: Role | None, text: str) -> tuple[Callable[..., None], str]:
    def act(page: AccountAdmin, request: HttpRequest, users: "QuerySet[User]") -> None:
        page.change_roles(request, users, role)

    return act, text


def _outranks(obj: Any, user: Any) -> bool:
    return isinstance(obj, User) and obj.is_superuser and not user.is_superuser
