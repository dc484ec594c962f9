"""The pages of webhooks, for administrators."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from setup_wizard.access import audit
from setup_wizard.access.permissions import Permission, needs, signed_in_user
from setup_wizard.attempts import vault
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.notifications import deliveries, outbox, secrets, sending
from setup_wizard.notifications.audit_actions import NotificationAudit
from setup_wizard.notifications.forms import WebhookForm
from setup_wizard.notifications.models import Delivery, DeliveryState, Webhook

INVALID = 422
SHOWN = 50
TURNED_OFF = "The webhook was turned off."


@needs(Permission.ADMINISTER)
@require_GET
def list_webhooks(request: HttpRequest) -> HttpResponse:
    """Show every webhook with its last delivery."""
    latest = Delivery.objects.filter(webhook=OuterRef("pk")).values("pk")[:1]
    webhooks = list(Webhook.objects.annotate(latest=Subquery(latest)))
    found = Delivery.objects.in_bulk([webhook.latest for webhook in webhooks if webhook.latest])
    rows = [(webhook, found.get(webhook.latest)) for webhook in webhooks]
    return render(request, "notifications/webhooks.html", {"rows": rows, "is_on": sending.is_on()})


@needs(Permission.ADMINISTER)
@sensitive_post_parameters("url")
@require_http_methods(["GET", "POST"])
def add_webhook(request: HttpRequest) -> HttpResponse:
    """Add a webhook, and show its signing key once."""
    form = WebhookForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _show_form(request, form)
    with transaction.atomic():
        key = form.store()
        outbox.begin()
        audit.record(NotificationAudit.ADD, by=signed_in_user(request), target=form.instance.as_target)
    messages.success(request, f"{form.instance.name} was added.")
    return _show(request, form.instance, key)


@needs(Permission.ADMINISTER)
@require_GET
def show_webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Show one webhook with its deliveries."""
    return _show(request, get_object_or_404(Webhook, pk=webhook_id))


@needs(Permission.ADMINISTER)
@sensitive_post_parameters("url")
@require_http_methods(["GET", "POST"])
def change_webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Change a webhook; without a new URL the present one stays."""
    webhook = get_object_or_404(Webhook, pk=webhook_id)
    was_enabled = webhook.is_enabled
    form = WebhookForm(request.POST or None, instance=webhook)
    if request.method == "GET" or not form.is_valid():
        return _show_form(request, form)
    with transaction.atomic():
        if webhook.is_enabled and not was_enabled:
            webhook.told_since, webhook.stopped_because = timezone.now(), ""
        key = form.store(previous=get_object_or_404(Webhook, pk=webhook_id))
        if was_enabled and not webhook.is_enabled:
            deliveries.give_up(webhook, TURNED_OFF)
        audit.record(NotificationAudit.CHANGE, by=signed_in_user(request), target=webhook.as_target)
    messages.success(request, f"{webhook.name} was changed.")
    return _show(request, webhook, key) if key else redirect("notifications:webhook", webhook.pk)


@needs(Permission.ADMINISTER)
@require_POST
def make_new_key(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Replace the signing key, and show the new one once."""
    webhook = get_object_or_404(Webhook, pk=webhook_id)
    try:
        url = secrets.open_for(webhook).url
    except vault.SecretUnavailable:
        messages.error(request, "No configured key decrypts the URL of this webhook. Enter it again.")
        return redirect("notifications:change", webhook.pk)
    key = secrets.make_key()
    with transaction.atomic():
        secrets.seal(webhook, secrets.WebhookSecrets(url, key))
        webhook.save(update_fields=["sealed"])
        audit.record(NotificationAudit.KEY, by=signed_in_user(request), target=webhook.as_target)
    return _show(request, webhook, key)


@needs(Permission.ADMINISTER)
@require_POST
def send_test(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send a test message now, and show the answer in the log of deliveries."""
    webhook = get_object_or_404(Webhook, pk=webhook_id)
    with transaction.atomic():
        delivery = outbox.make_test(webhook)
        audit.record(NotificationAudit.TEST, by=signed_in_user(request), target=webhook.as_target)
    done = deliveries.deliver(delivery.pk, even_if_off=True)
    if done and done.status is DeliveryState.DELIVERED:
        messages.success(request, f"The receiver took the test message ({done.status_code}).")
    else:
        messages.error(request, f"The test message was not delivered. {done.error if done else ''}".strip())
    return redirect("notifications:webhook", webhook.pk)


@needs(Permission.ADMINISTER)
@require_POST
def delete_webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Delete a webhook and its log."""
    webhook = get_object_or_404(Webhook, pk=webhook_id)
    with transaction.atomic():
        audit.record(NotificationAudit.DELETE, by=signed_in_user(request), target=webhook.as_target)
        webhook.delete()
    messages.success(request, f"{webhook.name} was deleted.")
    return redirect("notifications:webhooks")


@needs(Permission.ADMINISTER)
@require_POST
def send_again(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Let a delivery be tried again, under the same id."""
    webhook = get_object_or_404(Webhook, deliveries=delivery_id)
    with transaction.atomic():
        if is_new := deliveries.send_again(delivery_id):
            audit.record(NotificationAudit.SEND_AGAIN, by=signed_in_user(request), target=webhook.as_target)
    if not is_new:
        messages.error(request, "This message is being sent already.")
    elif webhook.is_enabled:
        messages.success(request, "The message is sent again now.")
    else:
        messages.warning(request, "The message is sent when the webhook is enabled.")
    return redirect("notifications:webhook", webhook.pk)


@sensitive_variables("key")
def _show(request: HttpRequest, webhook: Webhook, key: Secret | None = None) -> HttpResponse:
    log = webhook.deliveries.select_related("notice")[:SHOWN]
    context = {"webhook": webhook, "log": log, "key": key.reveal() if key else "", "is_on": sending.is_on()}
    return render(request, "notifications/webhook.html", context)


def _show_form(request: HttpRequest, form: WebhookForm) -> HttpResponse:
    context = {"form": form, "is_on": sending.is_on(), "networks": sending.NETWORKS}
    return render(request, "notifications/webhook_form.html", context, status=INVALID if form.errors else 200)
