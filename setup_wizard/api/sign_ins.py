"""Check user names and passwords in request bodies."""

from django.views.decorators.debug import sensitive_variables

from setup_wizard.api.errors import invalid
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret


@sensitive_variables()
def read_sign_in(username: str, password: Secret, *, above: str = "") -> Credentials:
    """Read a user name and a password; `above` is the path of the object that has them, with a dot at its end.

    Raises:
        Problem: 422 that names what is wrong.
    """
    wrong: dict[str, list[str]] = {}
    for name, check, value in (
        ("username", rules.check_username, username),
        ("password", rules.check_password, password.reveal()),
    ):
        try:
            check(value)
        except rules.RuleError as error:
            wrong[f"{above}{name}"] = [error.message]
    if wrong:
        raise invalid(wrong)
    return Credentials(username=rules.check_username(username), password=password)
