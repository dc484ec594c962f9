"""Mask secrets in a node's answers; the attempt's own names and paths stay readable."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import vault
from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.bootstrap.error_catalogue import find_keywords
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes.redaction import Redaction

INSTALLATION = "/var/opt/redislabs"
MAX_READ = 5  # attempts at an address whose paths stay readable
_HIDDEN = ("credentials", "license")


@sensitive_variables()
def redaction_for(attempt: Attempt) -> Redaction:
    """Give what to mask in the answers of the attempt's node.

    All of its text is masked when it may contain a secret that we can no longer search for, or someone else's secret.
    """
    used = vault.used(attempt.pk, attempt.address)
    credentials = [*used.credentials, *_current(attempt)]
    can_search = len(credentials) > len(used.credentials) or used.has_own or attempt.started_at is None
    keeps_free_text = can_search and used.is_complete and not attempt.not_ours
    redaction = AttemptRedaction(kept=frozenset(_kept(attempt)), keeps_free_text=keeps_free_text)
    return redaction.adding([*_secrets(credentials), Secret(str(attempt.request.get("license", "")))])


@sensitive_variables()
def redaction_at(address: str) -> Redaction:
    """Give what to mask in answers of the node at an address to a user who has no access to its setups."""
    credentials = list(vault.used(None, address).credentials)
    for attempt in Attempt.objects.filter(address=address, state__in=OPEN_STATES):
        credentials += _current(attempt)
    if not credentials:
        return Redaction()
    kept = {text for attempt in Attempt.objects.filter(address=address)[:MAX_READ] for text in _kept(attempt)}
    return Redaction(kept=frozenset(kept)).adding(_secrets(credentials))


def _secrets(credentials: Iterable[Credentials]) -> list[Secret]:
    return [secret for each in credentials for secret in (each.password, each.client_key)]


@sensitive_variables()
def _current(attempt: Attempt) -> list[Credentials]:
    try:
        return [vault.open_for(attempt.pk)]
    except vault.SecretUnavailable:
        return []


@dataclass(frozen=True, slots=True, repr=False)
class AttemptRedaction(Redaction):
    """A redaction that keeps the phrases of a masked message that its explanation needs."""

    @sensitive_variables()
    def document(self, document: object) -> Any:
        """Give a node's JSON without secrets; a masked message is followed by its explanation's phrases."""
        masked = Redaction.document(self, document)
        said, shown = _message(document), _message(masked)
        lost = [phrase for phrase in find_keywords(said) if phrase not in find_keywords(shown)] if shown else []
        if lost and said != shown:
            _details(masked)["message"] = f"{shown} ({', '.join(lost)})"
        return masked


def _details(document: Any) -> Any:
    status = document.get("bootstrap_status", document) if isinstance(document, dict) else {}
    details = status.get("error_details") if isinstance(status, dict) else {}
    return details if isinstance(details, dict) else {}


def _message(document: Any) -> str:
    message = _details(document).get("message")
    return message if isinstance(message, str) else ""


def _kept(attempt: Attempt) -> Iterator[str]:
    """Give the names and paths that every page of the attempt shows, and the directories above the paths."""
    yield from (INSTALLATION, attempt.host, attempt.address, attempt.cluster_name, attempt.name_from_member)
    known = {name: value for name, value in attempt.request.items() if name not in _HIDDEN}
    facts = [value for name, value in attempt.facts.items() if name.endswith("_path")]
    for text in _texts([known, facts]):
        yield text
        if text.startswith("/"):
            yield from (str(folder) for folder in PurePosixPath(text).parents if len(folder.parts) > 2)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)
