"""Signing in and out, another password, and the first administrator."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from setup_wizard.access import audit, carrying, founding
from setup_wizard.access.deeds import Deed
from setup_wizard.access.forms import FirstAdministratorForm, PasswordForm, SignInForm
from setup_wizard.access.links import LIFETIME, redeem_link
from setup_wizard.access.permissions import needs_sign_in
from setup_wizard.access.requests import signed_in_user

BACKEND = "setup_wizard.access.backends.CountedBackend"


class SignIn(LoginView):
    """Sign in with a name and a password, then go on to the page that was asked for."""

    template_name = "access/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        """Show the form as a page of its own; a script gets 401, and its page stays where it is."""
        if request.htmx:  # type: ignore[attr-defined]  # django-htmx adds it to every request
            return HttpResponse(status=401)
        return super().get(request, *args, **kwargs)

    @method_decorator(login_not_required)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Go on with a form that was sent too late at once, when another tab has signed in meanwhile."""
        if request.method == "POST" and request.user.is_authenticated and (page := _send_again(request)):
            return page
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        """Sign in, and put that down: both or neither."""
        with transaction.atomic():
            answer = super().form_valid(form)
        return _send_again(self.request) or answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Lead whoever comes before the first administrator to where that one is made."""
        is_first = not settings.SETUP_WIZARD_DEMO and founding.is_needed()
        return super().get_context_data(**kwargs) | {
            "is_first": is_first,
            carrying.CARRIED: self.request.POST.get(carrying.CARRIED, ""),
        }

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        """Say what is wrong, with the status of a refused form."""
        return self.render_to_response(self.get_context_data(form=form), status=422)


def _send_again(request: HttpRequest) -> HttpResponse | None:
    carried = carrying.unpack(request.POST.get(carrying.CARRIED, ""))
    return render(request, "access/carried.html", {"carried": carried}) if carried else None


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and let the browser forget the pages it has seen."""
    logout(request)
    messages.success(request, "You are signed out.")
    answer = redirect(reverse("access:sign-in"))
    answer["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@needs_sign_in
@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; whoever signs in by a link has none, and is told so."""
    has_one = signed_in_user(request).has_usable_password()
    form = PasswordForm(request, request.POST or None) if has_one else None
    if form and form.is_valid():
        _change_password(request, form)
        messages.success(request, "Your password is changed. Wherever else you were signed in, you are signed out.")
        return redirect("home")
    return render(request, "access/password.html", {"form": form}, status=422 if form and form.errors else 200)


@login_not_required
@require_GET
@sensitive_variables("token")
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign the demo's administrator in by a link that works once; there is no such page outside the demo."""
    if not settings.SETUP_WIZARD_DEMO:
        raise Http404
    # Whoever looks at the request from here on, such as the record of sign-ins, need not know the link.
    request.META["PATH_INFO"] = reverse("access:sign-in")
    with transaction.atomic():
        if user := redeem_link(token):
            login(request, user, backend=BACKEND)
    if not request.user.is_authenticated:
        minutes = int(LIFETIME.total_seconds() // 60)
        return render(request, "access/spent.html", {"minutes": minutes}, status=410)
    return redirect("wizard:start")


@login_not_required
@sensitive_post_parameters("token", "password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def found(request: HttpRequest) -> HttpResponse:
    """Make the first administrator, for whoever has the setup token; once there is one, there is no such page."""
    if not founding.is_needed():
        raise Http404
    form = FirstAdministratorForm(request.POST or None)
    try:
        if form.is_valid() and _founded(request, form):
            return redirect("home")
    except founding.Founded:
        raise Http404 from None
    except founding.TokenLocked:
        return render(request, "access/token_locked.html", {"most": founding.MOST_WRONG}, status=429)
    return render(request, "access/first.html", {"form": form}, status=422 if form.errors else 200)


def _change_password(request: HttpRequest, form: PasswordForm) -> None:
    user = form.save(commit=False)  # hashes: not while a transaction holds others up
    with transaction.atomic():
        user.save(update_fields=["password"])
        audit.record(Deed.PASSWORD, by=user, target=audit.of_user(user))
        # every session holds a digest of the password that it began with: those of the old one are worth nothing now
        update_session_auth_hash(request, user)


def _founded(request: HttpRequest, form: FirstAdministratorForm) -> bool:
    user = form.save(commit=False)  # hashes: not while a transaction holds others up
    try:
        with transaction.atomic():
            founding.use_up(form.cleaned_data["token"])
            user.save()
            audit.record(Deed.FIRST_ADMINISTRATOR, by=user, target=audit.of_user(user))
            login(request, user, backend=BACKEND)
    except founding.TokenWrong:
        form.add_error("token", "This token does not work")
        return False
    return True
