"""E-mail through the server of Django's settings; off while EMAIL_HOST is empty."""

import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from setup_wizard.notifications.formats import plain_text
from setup_wizard.notifications.models import Notice
from setup_wizard.notifications.sending import SendingFailed

SUBJECT_LENGTH = 150


def is_on() -> bool:
    """Tell whether e-mail can be sent at all."""
    return bool(settings.EMAIL_HOST)


def send(notice: Notice, *, to: str, message_id: str) -> None:
    """Send a notice to one address; `message_id` is the same in every try.

    Raises:
        SendingFailed: the mail server did not take it.
    """
    if not is_on():
        raise SendingFailed("E-mail is off: EMAIL_HOST is empty.")
    if not to:
        raise SendingFailed("The account has no e-mail address.")
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    message = EmailMessage(
        subject=str(notice)[:SUBJECT_LENGTH],
        body=plain_text(notice),
        to=[to],
        headers={"Message-ID": f"<{message_id}@{domain}>", "Auto-Submitted": "auto-generated"},
        connection=get_connection(),
    )
    try:
        message.send()
    except smtplib.SMTPException as problem:
        raise SendingFailed(_explain(problem)) from None
    except OSError as problem:  # the server cannot be reached, or its certificate does not verify
        detail = problem.strerror or type(problem).__name__
        raise SendingFailed(f"The mail server {settings.EMAIL_HOST} cannot be reached: {detail}.") from None


def _explain(problem: smtplib.SMTPException) -> str:
    """Name the code only: the text of a mail server may quote the message."""
    match problem:
        case smtplib.SMTPAuthenticationError():
            return f"The mail server refused the sign-in ({problem.smtp_code}). Check EMAIL_HOST_USER and its password."
        case smtplib.SMTPRecipientsRefused():
            codes = ", ".join(str(code) for code, _ in problem.recipients.values())
            return f"The mail server refused the address ({codes})."
        case smtplib.SMTPResponseException():
            return f"The mail server refused the message ({problem.smtp_code})."
        case _:
            return f"The mail server did not take the message ({type(problem).__name__})."
