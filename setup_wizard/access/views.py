"""Signing in and out, changing a password, and creating the first administrator."""

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
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from setup_wizard.access import audit, first_admin, interrupted_forms
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.forms import FirstAdministratorForm, PasswordForm, SignInForm
from setup_wizard.access.middleware import MalformedRequest
from setup_wizard.access.permissions import needs_sign_in, signed_in_user
from setup_wizard.access.theme import Theme, keep


class SignIn(LoginView):
    """Sign in with a name and a password, then continue to the page that was requested."""

    template_name = "access/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        """Show the form; htmx gets 401 instead, and its page stays as it is."""
        if request.htmx:  # type: ignore[attr-defined]  # django-htmx adds it to every request
            return HttpResponse(status=401)
        return super().get(request, *args, **kwargs)

    @method_decorator(login_not_required)
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Offer to send an interrupted form again at once, when the user has signed in in another tab."""
        if request.method == "POST" and request.user.is_authenticated and (page := _send_again(request)):
            return page
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        """Sign in and write the audit entry: both or neither."""
        with transaction.atomic():
            response = super().form_valid(form)
        return _send_again(self.request) or response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "needs_first_admin": first_admin.is_needed(),
            interrupted_forms.FIELD: self.request.POST.get(interrupted_forms.FIELD, ""),
        }

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        return self.render_to_response(self.get_context_data(form=form), status=422)


def _send_again(request: HttpRequest) -> HttpResponse | None:
    form = interrupted_forms.load(request.POST.get(interrupted_forms.FIELD, ""))
    return render(request, "access/send_again.html", {"form": form}) if form else None


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, and make the browser clear its cache of our pages."""
    logout(request)
    messages.success(request, "You are signed out.")
    response = redirect(reverse("access:sign-in"))
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


@needs_sign_in
@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the theme and return to the page; htmx only gets told its color scheme, and what was typed stays."""
    name = request.POST.get("theme", "")
    if name not in Theme:
        raise MalformedRequest("The theme is none of system, light and dark.")
    theme = Theme(name)
    if request.htmx:  # type: ignore[attr-defined]  # django-htmx adds it to every request
        response = HttpResponse(status=204)
        trigger_client_event(response, "theme", {"name": theme, "scheme": theme.color_scheme})
    else:
        page = request.POST.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(page, allowed_hosts=None)
        response = redirect(page if is_ours else "home")
    keep(theme, response)
    return response


@needs_sign_in
@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Change the user's own password, if the account has one."""
    has_password = signed_in_user(request).has_usable_password()
    form = PasswordForm(request, request.POST or None) if has_password else None
    if form and form.is_valid():
        _change_password(request, form)
        messages.success(request, "Password changed. Your other sessions are signed out.")
        return redirect("home")
    return render(request, "access/password.html", {"form": form}, status=422 if form and form.errors else 200)


@login_not_required
@sensitive_post_parameters("token", "password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def create_first_admin(request: HttpRequest) -> HttpResponse:
    """Create the first administrator with a setup token; 404 as soon as there is one."""
    if not first_admin.is_needed():
        raise Http404
    form = FirstAdministratorForm(request.POST or None)
    try:
        if form.is_valid() and _save_first_admin(request, form):
            return redirect("home")
    except first_admin.AdminExists:
        raise Http404 from None
    except first_admin.TokenLocked:
        context = {"max_wrong": first_admin.MAX_WRONG_TOKENS}
        return render(request, "access/token_locked.html", context, status=429)
    return render(request, "access/first_admin.html", {"form": form}, status=422 if form.errors else 200)


def _change_password(request: HttpRequest, form: PasswordForm) -> None:
    user = form.save(commit=False)  # hashes the password: not inside the transaction, which blocks others
    with transaction.atomic():
        user.save(update_fields=["password"])
        audit.record(AccessAudit.PASSWORD, by=user, target=audit.of_user(user))
        # a session holds a digest of the password it began with, so all others end now
        update_session_auth_hash(request, user)


def _save_first_admin(request: HttpRequest, form: FirstAdministratorForm) -> bool:
    user = form.save(commit=False)  # hashes the password: not inside the transaction, which blocks others
    try:
        with transaction.atomic():
            first_admin.use_up(form.cleaned_data["token"])
            user.save()
            audit.record(AccessAudit.FIRST_ADMINISTRATOR, by=user, target=audit.of_user(user))
            login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    except first_admin.WrongToken:
        form.add_error("token", "This token does not work")
        return False
    return True
