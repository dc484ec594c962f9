"""Write each sign-in, refused sign-in and sign-out to the audit log, whichever page it happens on."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from setup_wizard.access import audit
from setup_wizard.access.audit import AuditOutcome
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.backends import is_possible_name


def connect() -> None:
    """Connect the receivers. An exception in one fails the sign-in: there is none without an audit entry."""
    user_logged_in.connect(_signed_in, dispatch_uid="setup_wizard.access.signed_in")
    user_login_failed.connect(_was_refused, dispatch_uid="setup_wizard.access.was_refused")
    user_logged_out.connect(_signed_out, dispatch_uid="setup_wizard.access.signed_out")


def _signed_in(*, user: User, **_: Any) -> None:
    audit.record(AccessAudit.SIGN_IN, by=user, target=audit.of_user(user))


def _was_refused(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    current_user = getattr(request, "user", None)
    if isinstance(current_user, User):  # a wrong current password on the page that changes it
        audit.record(
            AccessAudit.PASSWORD,
            by=current_user,
            target=audit.of_user(current_user),
            outcome=AuditOutcome.REFUSED,
        )
        return
    # an unknown name may be a password that was typed into the wrong field
    name = str(credentials.get("username", ""))
    user = User.objects.filter(username=name).first() if is_possible_name(name) else None
    target = audit.of_user(user) if user else audit.Target("user", "", "unknown user name")
    audit.record(AccessAudit.SIGN_IN_FAILED, by=None, target=target, outcome=AuditOutcome.REFUSED)


def _signed_out(*, user: User | None, **_: Any) -> None:
    if user is not None:
        audit.record(AccessAudit.SIGN_OUT, by=user, target=audit.of_user(user))
