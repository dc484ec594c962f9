"""What a person is notified of, by e-mail and in the browser."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.forms.boundfield import BoundField
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from setup_wizard.access.permissions import Permission, needs, signed_in_user
from setup_wizard.access.sessions import in_background
from setup_wizard.attempts import visibility
from setup_wizard.notifications import deliveries, email, outbox, people
from setup_wizard.notifications.models import Delivery, DeliveryState, Preferences

RECENT = timedelta(minutes=2)
MOST = 20

if TYPE_CHECKING:
    AnyModelForm = forms.ModelForm[Preferences]
else:
    AnyModelForm = forms.ModelForm


class PreferencesForm(AnyModelForm):
    """Which setups, and what to get by e-mail."""

    class Meta:
        model = Preferences
        fields = ["all_setups", "email_on_ended", "email_on_needs_operator", "email_on_run_ended"]

    @property
    def of_email(self) -> list[BoundField]:
        """The fields about e-mail."""
        return [field for field in self if field.name.startswith("email_")]


@needs(Permission.READ)
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Show and change what this person is notified of."""
    user = signed_in_user(request)
    chosen = people.preferences_of(user)
    # a form with nothing ticked is a choice, too
    form = PreferencesForm(request.POST if request.method == "POST" else None, instance=chosen)
    if request.method == "POST" and form.is_valid():
        chosen.told_since = timezone.now()
        form.save()
        outbox.begin()
        messages.success(request, "Saved.")
        return redirect("notifications:preferences")
    context = {
        "form": form,
        "email_is_on": email.is_on(),
        "sees_all": visibility.sees_all(user),
        "last": Delivery.objects.filter(person=user).select_related("notice").first(),
    }
    return render(request, "notifications/preferences.html", context)


@needs(Permission.READ)
@require_POST
def send_test_email(request: HttpRequest) -> HttpResponse:
    """Send an e-mail to the person who asks, now."""
    done = deliveries.deliver(outbox.make_test(signed_in_user(request)).pk)
    if done and done.status is DeliveryState.DELIVERED:
        messages.success(request, "The mail server took the test message.")
    else:
        messages.error(request, f"The test message was not sent. {done.error if done else ''}".strip())
    return redirect("notifications:preferences")


@needs(Permission.READ)
@in_background
@require_GET
def news(request: HttpRequest) -> HttpResponse:
    """Return the notices of the last minutes as JSON, for the browser's notifications."""
    recent = people.notices_for(signed_in_user(request)).filter(created_at__gte=timezone.now() - RECENT)
    found = [
        {
            "id": str(notice.pk),
            "title": str(notice),
            "text": str(notice.document.get("explanation") or notice.document.get("message") or ""),
            "path": str(notice.document.get("path") or "/"),
        }
        for notice in recent.order_by("-created_at")[:MOST]
    ]
    return JsonResponse({"notices": found})
