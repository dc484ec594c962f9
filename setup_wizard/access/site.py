"""The administration site: whom it lets in, and what most of its pages have in common."""

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

SEARCH_CHARACTERS: Final = 200
# the database compares every word with every searched column of every row
SEARCH_WORDS: Final = 10


class Site(AdminSite):
    """Reviewers and administrators come in, by the same door as everybody; `is_staff` means nothing here."""

    site_header = "Cluster setup"
    site_title = "Cluster setup"
    index_title = "Review and administration"
    enable_nav_sidebar = False

    def get_urls(self) -> list[Any]:
        """Leave out Django's redirect to an object's own page: no row here has one."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may see the site at all."""
        return request.user.has_perm(Permission.REVIEW)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Guard a page of the site as every other page is guarded, so that a refusal is said in the same words."""
        return needs(Permission.REVIEW)(super().admin_view(view, cacheable))

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the one page where people sign in."""
        del extra_context
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def password_change(  # type: ignore[override]  # no page of its own is shown, as for logout below
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the one page where people change their password: Django's own counts no guesses and tells nobody."""
        del request, extra_context
        return redirect("access:password")

    def password_change_done(  # type: ignore[override]  # no page of its own is shown, as for logout below
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Lead there too: nobody comes here after a change."""
        del request, extra_context
        return redirect("access:password")

    def logout(  # type: ignore[override]  # no page of its own is shown, which is all that the narrower type is about
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Sign out as every other page does."""
        del extra_context
        return views.sign_out(request)


class OfferedList(ChangeList):
    """A list that is narrowed only by the filters, dates and words that it offers."""

    def get_filters(self, request: HttpRequest) -> Any:
        """Refuse every other lookup: a regular expression can keep the whole process busy.

        Raises:
            MalformedRequest: a parameter is none of the list's.
        """
        found = super().get_filters(request)
        left = found[2]  # what no filter has taken
        if set(left) & set(request.GET):
            raise MalformedRequest("This list cannot be filtered that way.")
        return found

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """Give the rows.

        Raises:
            MalformedRequest: it is a search for too much.
        """
        if len(self.query) > SEARCH_CHARACTERS or len(self.query.split()) > SEARCH_WORDS:
            raise MalformedRequest(f"Search for {SEARCH_WORDS} words and {SEARCH_CHARACTERS} characters at most.")
        return super().get_queryset(request, exclude_parameters)


class OfferedAdmin(AnyAdmin):
    """The base of every part of the site: answers a parameter or a row number that cannot be meant with 400."""

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ChangeList]:
        """Give the list that accepts only what it offers."""
        del request
        return OfferedList

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Read what the list is asked for.

        Raises:
            MalformedRequest: a filter or a date has a value that it cannot have.
        """
        try:
            return super().get_changelist_instance(request)
        except (IncorrectLookupParameters, ValueError, OverflowError) as error:  # the year 9999 has no next one
            raise MalformedRequest("This list cannot be filtered by that value.") from error

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        """Do something with the chosen rows.

        Raises:
            MalformedRequest: what was chosen is no number of a row.
        """
        if not all(is_key(self.model, value) for value in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise MalformedRequest("One of the chosen rows does not exist.")
        return super().response_action(request, queryset, *args, **kwargs)


class ExistingRowsField(AnyChoiceField):
    """Rows to choose from; Django's own field asks the database for numbers that it cannot hold."""

    def clean(self, value: Any) -> Any:
        """Give the chosen rows.

        Raises:
            ValidationError: one does not exist.
        """
        for each in value or []:
            if self.queryset is not None and not is_key(self.queryset.model, each):
                raise ValidationError(
                    self.error_messages["invalid_choice"], code="invalid_choice", params={"value": each}
                )
        return super().clean(value)


def is_key(model: Any, value: Any) -> bool:
    """Tell whether a value could be the primary key of a row of this model."""
    try:
        model._meta.pk.clean(value, None)
    except ValidationError:
        return False
    return True


class ReadOnly(OfferedAdmin):
    """Rows to look at: nobody adds, changes or deletes one here."""

    permission = Permission.REVIEW

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether the index lists them."""
        return request.user.has_perm(self.permission)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether they may be read."""
        del obj
        return request.user.has_perm(self.permission)

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:
        """Nobody."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        del request, obj
        return False
