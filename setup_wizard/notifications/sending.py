"""One POST to a receiver, over a connection of its own to an address that was checked.

Only https, verified by the authorities of this system. The name is resolved once, every answer is checked against
SETUP_WIZARD_WEBHOOK_NETWORKS, and the connection goes to the checked address. No redirect is followed, and no proxy is
used. Time and the size of the answer are limited.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

import h11
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from setup_wizard.bootstrap.secret import Secret
from setup_wizard.bootstrap.text import clean
from setup_wizard.nodes import guard
from setup_wizard.nodes.address import Address, AddressInvalid
from setup_wizard.nodes.errors import (
    AddressForbidden,
    NodeError,
    NodeMisbehaved,
    NodeUnreachable,
    NodeUnverified,
)
from setup_wizard.nodes.redaction import Redaction, is_guessable
from setup_wizard.nodes.transport import Deadline, TLSConnection
from setup_wizard.notifications.models import MAX_ANSWER
from setup_wizard.notifications.secrets import WebhookSecrets

NETWORKS: Final = "SETUP_WIZARD_WEBHOOK_NETWORKS"
HTTPS_PORT: Final = 443
MAX_URL: Final = 2048
ANSWER_BYTES: Final = 64 * 1024
TRY_SECONDS: Final = 15.0
"""From connecting to the last byte of the answer."""
_SPECIAL: Final = frozenset(' "<>\\^`{|}')


class InvalidURL(ValueError):
    """Not the URL of a receiver; `message` says what to enter instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SendingFailed(Exception):
    """There was no answer; `message` says why, for people and without the path of the URL."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class ReceiverURL:
    """Where a receiver listens: `target` is path and query, which are secret."""

    address: Address
    target: Secret

    @classmethod
    @sensitive_variables()
    def parse(cls, text: str) -> "ReceiverURL":
        """Read a URL.

        Raises:
            InvalidURL: it is not https, or has a part that is not sent.
        """
        text = text.strip()
        if len(text) > MAX_URL:
            raise InvalidURL(f"Enter a URL of at most {MAX_URL} characters.")
        if not text.isascii() or not text.isprintable() or any(character in _SPECIAL for character in text):
            raise InvalidURL("Remove the spaces and special characters, or write them percent-encoded.")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise InvalidURL("Enter a whole URL, such as https://hooks.example.com/services/1") from None
        return cls(_address_of(parts, port), Secret((parts.path or "/") + (f"?{parts.query}" if parts.query else "")))

    @property
    def host_header(self) -> str:
        """The host as browsers write it: without the port of https."""
        text = str(self.address)
        return text.removesuffix(f":{HTTPS_PORT}") if self.address.port == HTTPS_PORT else text


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered: `text` is the beginning of the body, in one line, secrets masked."""

    status_code: int
    text: str

    @property
    def is_accepted(self) -> bool:
        """Whether the receiver took the message."""
        return 200 <= self.status_code < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver asks never to be sent anything again."""
        return self.status_code == 410


def is_on() -> bool:
    """Tell whether webhooks may be sent at all."""
    return bool(settings.SETUP_WIZARD_WEBHOOK_NETWORKS)


@sensitive_variables()
def send(secrets: WebhookSecrets, headers: Mapping[str, str], body: bytes) -> Answer:
    """Send a body once and read the answer.

    Raises:
        SendingFailed: there was none.
    """
    if not is_on():
        raise SendingFailed(f"Webhooks are off: {NETWORKS} is empty.")
    try:
        url = ReceiverURL.parse(secrets.url.reveal())
    except InvalidURL as error:
        raise SendingFailed(error.message) from None
    try:
        status_code, content = _exchange(url, headers, body)
    except AddressForbidden as error:
        raise SendingFailed(error.message) from None
    except NodeError as error:
        raise SendingFailed(explain(error, url.address.host)) from None
    return Answer(status_code, _masked(content, secrets, url))


@sensitive_variables()
def _exchange(url: ReceiverURL, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    endpoint = guard.resolve(url.address, guard.policy_of(NETWORKS, ports=None))
    connection = TLSConnection(endpoint, None, Deadline.after(TRY_SECONDS), verified_by=_make_context())
    try:
        all_headers = {
            "Host": url.host_header,
            "User-Agent": "setup-wizard",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **headers,
        }
        request = h11.Request(method="POST", target=url.target.reveal(), headers=list(all_headers.items()))
        connection.send(request, body)
        answer, content = connection.receive(ANSWER_BYTES)
    finally:
        connection.close()
    return answer.status_code, content


def _make_context() -> ssl.SSLContext:
    """Make a TLS context with the authorities of this system, or those that SSL_CERT_FILE and SSL_CERT_DIR name."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


def _address_of(parts: SplitResult, port: int | None) -> Address:
    if parts.scheme.lower() != "https":
        raise InvalidURL("Enter a URL that begins with https://")
    if parts.username is not None or parts.password is not None:
        raise InvalidURL("Remove the user name and password in front of the host: they are not sent.")
    if parts.fragment:
        raise InvalidURL("Remove the # and everything after it: it is not sent.")
    host = parts.hostname or ""
    try:
        return Address.parse(f"[{host}]:{port or HTTPS_PORT}" if ":" in host else f"{host}:{port or HTTPS_PORT}")
    except AddressInvalid:
        raise InvalidURL("The host is not valid. Enter a URL such as https://hooks.example.com/services/1") from None


@sensitive_variables()
def _masked(content: bytes, secrets: WebhookSecrets, url: ReceiverURL) -> str:
    """Mask what the receiver may have quoted: the URL, its path, the parts of that, and the key."""
    target = url.target.reveal()
    # a part such as "services" is no secret, and would have the whole text masked
    parts = [part for part in re.split("[/?&=]", target) if not is_guessable(part)]
    hidden = [secrets.url, secrets.key, *([url.target] if target != "/" else []), *map(Secret, parts)]
    text = content[: 4 * MAX_ANSWER].decode("utf-8", "replace")
    return clean(Redaction(secrets=tuple(hidden)).text(text), MAX_ANSWER)


def explain(error: NodeError, host: str) -> str:
    """Say why a receiver could not be reached."""
    match error:
        case NodeUnreachable(phase="dns"):
            return f"The host name {host} could not be resolved: {error.detail}."
        case NodeUnreachable(phase="connect"):
            return f"Cannot connect to {host}: {error.detail}."
        case NodeUnreachable(phase="tls"):
            return f"Cannot open a TLS connection to {host}: {error.detail}."
        case NodeUnreachable():
            return f"{host} did not send a complete answer: {error.detail or 'the connection was lost'}."
        case NodeUnverified():
            return f"The certificate of {host} does not verify: {error.detail}."
        case NodeMisbehaved():
            return f"The answer of {host} cannot be used: {error.detail or 'it cannot be read'}."
        case _:
            return f"Sending to {host} failed: {error}."
