"""The admin site: who may use it, and what most of its pages have in common."""

from typing import TYPE_CHECKING, Any, Final

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator

from setup_wizard.access import views
from setup_wizard.access.middleware import MalformedRequest
from setup_wizard.access.permissions import Permission, needs

# Generic for the type checker only.
if TYPE_CHECKING:
    AnyAdmin = ModelAdmin[Any]
    AnyChoiceField = ModelMultipleChoiceField[Any]
else:
    AnyAdmin = ModelAdmin
    AnyChoiceField = ModelMultipleChoiceField

MAX_SEARCH_CHARACTERS: Final = 200
# the database compares every word with every searched column of every row
MAX_SEARCH_WORDS: Final = 10


class AdministrationSite(AdminSite):
    """For reviewers and administrators, who sign in on the usual page; `is_staff` has no effect here."""

    site_header = "Cluster setup"
    site_title = "Cluster setup"
    index_title = "Review and administration"
    index_template = "access/administration.html"
    enable_nav_sidebar = False

    def get_urls(self) -> list[Any]:
        # no row here has a page of its own to redirect to
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.REVIEW)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Check the permission like any other page, so that a refusal looks the same."""
        return needs(Permission.REVIEW)(super().admin_view(view, cacheable))

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        del extra_context
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def password_change(  # type: ignore[override]  # no page of its own is shown, as for logout below
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Redirect to our own page: Django's does not limit guesses and writes no audit entry."""
        del request, extra_context
        return redirect("access:password")

    def password_change_done(  # type: ignore[override]  # no page of its own is shown, as for logout below
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        del request, extra_context
        return redirect("access:password")

    def logout(  # type: ignore[override]  # no page of its own is shown, which is all that the narrower type is about
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        del extra_context
        return views.sign_out(request)


class StrictChangeList(ChangeList):
    """A list that accepts only the filters, dates and searches that it offers."""

    def get_filters(self, request: HttpRequest) -> Any:
        """Refuse every other lookup: a regular expression can block the whole process.

        Raises:
            MalformedRequest: the list does not offer a parameter.
        """
        found = super().get_filters(request)
        unused = found[2]  # parameters that no filter has taken
        if set(unused) & set(request.GET):
            raise MalformedRequest("This list cannot be filtered that way.")
        return found

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        if len(self.query) > MAX_SEARCH_CHARACTERS or len(self.query.split()) > MAX_SEARCH_WORDS:
            raise MalformedRequest(f"The limits are {MAX_SEARCH_WORDS} words and {MAX_SEARCH_CHARACTERS} characters.")
        return super().get_queryset(request, exclude_parameters)


class StrictModelAdmin(AnyAdmin):
    """Base of every model's pages: answers an invalid parameter or row ID with 400."""

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ChangeList]:
        del request
        return StrictChangeList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Parse the parameters.

        Raises:
            MalformedRequest: a filter or a date has an invalid value.
        """
        try:
            return super().get_changelist_instance(request)
        except (IncorrectLookupParameters, ValueError, OverflowError) as error:  # the year 9999 has no next one
            raise MalformedRequest("This list cannot be filtered by that value.") from error

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply an action to the selected rows.

        Raises:
            MalformedRequest: a selected ID is invalid.
        """
        if not all(is_primary_key(self.model, value) for value in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise MalformedRequest("One of the selected rows does not exist.")
        return super().response_action(request, queryset, *args, **kwargs)


class ExistingRowsField(AnyChoiceField):
    """Rows to select from; Django's own field looks up numbers that are too large for the database."""

    def clean(self, value: Any) -> Any:
        for each in value or []:
            if self.queryset is not None and not is_primary_key(self.queryset.model, each):
                raise ValidationError(
                    self.error_messages["invalid_choice"], code="invalid_choice", params={"value": each}
                )
        return super().clean(value)


def is_primary_key(model: Any, value: Any) -> bool:
    """Tell whether a value could be the primary key of a row of this model."""
    try:
        model._meta.pk.clean(value, None)
    except ValidationError:
        return False
    return True


class ReadOnlyAdmin(StrictModelAdmin):
    """Rows that nobody adds, changes or deletes on these pages."""

    permission = Permission.REVIEW

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.permission)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del obj
        return request.user.has_perm(self.permission)

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        del request, obj
        return False
