"""Who came in, who was not let in, and who went: put down wherever Django says so, whichever page it was."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from setup_wizard.access import audit
from setup_wizard.access.backends import is_possible_name
from setup_wizard.access.deeds import Deed, Outcome


def watch() -> None:
    """Begin to listen. What a listener raises reaches whoever signs in: without its row there is no sign-in."""
    user_logged_in.connect(_came, dispatch_uid="setup_wizard.access.came")
    user_login_failed.connect(_was_refused, dispatch_uid="setup_wizard.access.was_refused")
    user_logged_out.connect(_went, dispatch_uid="setup_wizard.access.went")


def _came(*, user: User, **_: Any) -> None:
    audit.record(Deed.SIGN_IN, by=user, target=audit.of_user(user))


def _was_refused(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    somebody = getattr(request, "user", None)
    if isinstance(somebody, User):  # is in already, and was asked for their password before they may change it
        audit.record(Deed.PASSWORD, by=somebody, target=audit.of_user(somebody), outcome=Outcome.REFUSED)
        return
    # a name that nobody has may well be a password that was typed into the wrong field
    name = str(credentials.get("username", ""))
    user = User.objects.filter(username=name).first() if is_possible_name(name) else None
    target = audit.of_user(user) if user else audit.Target("user", "", "a name that nobody has")
    audit.record(Deed.SIGN_IN_FAILED, by=None, target=target, outcome=Outcome.REFUSED)


def _went(*, user: User | None, **_: Any) -> None:
    if user is not None:
        audit.record(Deed.SIGN_OUT, by=user, target=audit.of_user(user))
