"""Users and groups, for administrators, and the audit trail, for reviewers."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.auth.models import Permission as PermissionRow
from django.db import transaction
from django.forms import CheckboxSelectMultiple, ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from setup_wizard.access import audit
from setup_wizard.access.deeds import Deed
from setup_wizard.access.models import AuditEvent
from setup_wizard.access.permissions import Permission
from setup_wizard.access.requests import signed_in_user
from setup_wizard.access.site import ExistingRowsField, OfferedAdmin, ReadOnly

if TYPE_CHECKING:
    from django.db.models import ManyToManyField

    AnyUserAdmin = UserAdmin[User]
else:
    AnyUserAdmin = UserAdmin

admin.site.unregister([User, Group])


class ForAdministrators(OfferedAdmin):
    """What only administrators see and change; each change is put down in its own transaction, or not made."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Note who was added."""
        _note(request, Deed.ACCOUNT_ADDED, obj, _standing(obj))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Note which fields were changed, and what may be done now."""
        _note(request, Deed.ACCOUNT_CHANGED, obj, f"{_fields(message)}{_standing(obj)}")
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Note who was deleted."""
        for obj in queryset:
            _note(request, Deed.ACCOUNT_DELETED, obj, "")
        return super().log_deletions(request, queryset)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list; what is deleted from it and what is noted of that go together."""
        with transaction.atomic():
            return super().changelist_view(request, extra_context)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether the index lists them."""
        return request.user.has_perm(Permission.ADMINISTER)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether they may be read."""
        del obj
        return request.user.has_perm(Permission.ADMINISTER)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tell whether one may be added."""
        return request.user.has_perm(Permission.ADMINISTER)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether this one may be changed: a superuser only by another, or an administrator could become one."""
        return request.user.has_perm(Permission.ADMINISTER) and not _is_above(obj, request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether this one may be deleted; whoever has started something is kept by the database anyway."""
        return self.has_change_permission(request, obj)


@admin.register(User)
class People(ForAdministrators, AnyUserAdmin):
    """Who may sign in, and in which groups they are."""

    @method_decorator(sensitive_post_parameters())
    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name
        form_url: str = "",
    ) -> HttpResponse:
        """Set another password, and note that it was set: both or neither. One's own has a page that asks for it."""
        by = signed_in_user(request)
        # the account is compared, not the text in the address: "07" is the seventh account too
        if by.has_usable_password() and self.get_object(request, unquote(id)) == by:
            return redirect("access:password")
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    list_display = ["username", "first_name", "last_name", "email", "roles", "is_active", "last_login"]
    list_filter = ["groups", "is_active", "is_superuser"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Who it is", {"fields": ["first_name", "last_name", "email"]}),
        ("What they may do", {"fields": ["is_active", "groups", "is_superuser"]}),
        ("When, UTC", {"fields": ["last_login", "date_joined"]}),
    ]

    @admin.display(description="Groups")
    def roles(self, user: User) -> str:
        """Name the groups, or say that everything is allowed."""
        return "everything" if user.is_superuser else ", ".join(group.name for group in user.groups.all())

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the groups of a whole page at once."""
        return super().get_queryset(request).prefetch_related("groups")

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest | None = None, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        """Show all groups at once: they are few."""
        kwargs |= {"widget": CheckboxSelectMultiple, "form_class": ExistingRowsField}
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[arg-type]  # as Django does

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Let only superusers make superusers."""
        del obj
        return ["last_login", "date_joined", *([] if request.user.is_superuser else ["is_superuser"])]


@admin.register(Group)
class Groups(ForAdministrators, GroupAdmin):
    """Roles: the four that come with the product, and others that a site makes for itself."""

    filter_horizontal = []

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest | None = None, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        """Offer the permissions that mean something here."""
        offered = PermissionRow.objects.filter(
            content_type__app_label="access", content_type__model="capability"
        ).select_related("content_type")
        field = super().formfield_for_manytomany(
            db_field,
            request,
            widget=CheckboxSelectMultiple,
            **{**kwargs, "queryset": offered, "form_class": ExistingRowsField},
        )
        if isinstance(field, ModelMultipleChoiceField):
            field.label_from_instance = _name_of  # type: ignore[method-assign]  # as Django tells one to
        return field


@admin.register(AuditEvent)
class Trail(ReadOnly):
    """Who did what, when, from where, and what came of it."""

    list_display = ["at", "user_name", "address", "deed", "target", "outcome", "note"]
    list_filter = ["deed", "outcome", "kind"]
    search_fields = ["user_name", "address", "key", "target", "fingerprint", "note"]
    date_hierarchy = "at"
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list."""
        return super().changelist_view(request, {"title": "Audit trail", **(extra_context or {})})


def _note(request: HttpRequest, deed: Deed, obj: Any, more: str) -> None:
    target = audit.Target(obj._meta.model_name or "", str(obj.pk), str(obj))
    audit.record(deed, by=signed_in_user(request), target=target, note=more)


def _standing(obj: Any) -> str:
    """Say what a user or a group may do now."""
    if isinstance(obj, Group):
        return f"may: {_list(obj.permissions.order_by('codename').values_list('codename', flat=True))}"
    switched = "" if obj.is_active else "; switched off"
    everything = "; superuser" if obj.is_superuser else ""
    return f"in: {_list(obj.groups.order_by('name').values_list('name', flat=True))}{everything}{switched}"


def _fields(message: Any) -> str:
    """Name the fields that were changed, as Django's own log does: never with a value."""
    parts = message if isinstance(message, list) else []
    names = [name for part in parts for name in part.get("changed", {}).get("fields", [])]
    return f"{', '.join(names)}; " if names else ""


def _list(words: Any) -> str:
    return ", ".join(words) or "nothing"


def _name_of(obj: Any) -> str:
    return str(obj.name)


def _is_above(obj: Any, user: Any) -> bool:
    return isinstance(obj, User) and obj.is_superuser and not user.is_superuser
