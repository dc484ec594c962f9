"""Users and groups, for administrators."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.auth.models import Permission as PermissionRow
from django.forms import CheckboxSelectMultiple, ModelMultipleChoiceField
from django.http import HttpRequest

from setup_wizard.access.permissions import Permission

if TYPE_CHECKING:
    from django.db.models import ManyToManyField

    AnyUserAdmin = UserAdmin[User]
else:
    AnyUserAdmin = UserAdmin

admin.site.unregister([User, Group])


class ForAdministrators:
    """What only administrators see and change."""

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

    list_display = ["username", "first_name", "last_name", "email", "roles", "is_active", "last_login"]
    list_filter = ["groups", "is_active", "is_superuser"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Who it is", {"fields": ["first_name", "last_name", "email"]}),
        ("What they may do", {"fields": ["is_active", "groups", "is_superuser"]}),
        ("When", {"fields": ["last_login", "date_joined"]}),
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
        kwargs["widget"] = CheckboxSelectMultiple
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
            db_field, request, widget=CheckboxSelectMultiple, **{**kwargs, "queryset": offered}
        )
        if isinstance(field, ModelMultipleChoiceField):
            field.label_from_instance = _name_of  # type: ignore[method-assign]  # as Django tells one to
        return field


def _name_of(obj: Any) -> str:
    return str(obj.name)


def _is_above(obj: Any, user: Any) -> bool:
    return isinstance(obj, User) and obj.is_superuser and not user.is_superuser
