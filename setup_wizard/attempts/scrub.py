"""What has to be kept out of a node's answers to an attempt: its secrets. Its own names and paths stay.

Reference: docs/failure-modes.md, S9.
"""

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
MAX_READ = 5  # of the attempts at an address, for the paths that they show anyway
_HIDDEN = ("credentials", "license")


@sensitive_variables()
def redaction_for(attempt: Attempt) -> Redaction:
    """Say what to keep out of what the attempt's node answers now.

    Its words are for nothing where it may know a secret that cannot be searched for any more, or somebody else's.
    """
    spent = vault.spent(attempt.pk, attempt.address)
    credentials = [*spent.credentials, *_current(attempt)]
    can_search = len(credentials) > len(spent.credentials) or spent.has_own or attempt.started_at is None
    has_words = can_search and spent.is_complete and not attempt.not_ours
    redaction = AttemptRedaction(kept=frozenset(_kept(attempt)), has_words=has_words)
    return redaction.adding([*_secrets(credentials), Secret(str(attempt.request.get("license", "")))])


@sensitive_variables()
def redaction_at(address: str) -> Redaction:
    """Give what to mask in answers of the node at an address to a user who has nothing to do with its setups."""
    credentials = list(vault.spent(None, address).credentials)
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
    """A redaction that keeps of a masked message what its explanation rests on."""

    @sensitive_variables()
    def document(self, document: object) -> Any:
        """Give a node's JSON without any secret; where its message is masked, the telling phrases follow it."""
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
    """Give the names and paths of the attempt that every page of it shows, and the folders above the paths."""
    yield from (INSTALLATION, attempt.host, attempt.address, attempt.cluster_name, attempt.given_name)
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
