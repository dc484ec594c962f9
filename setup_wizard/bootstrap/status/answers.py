"""The answer to `GET /v1/bootstrap`."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from setup_wizard.bootstrap.status.errors import UnreadableAnswer
from setup_wizard.bootstrap.status.facts import MAX_NUMBER, NodeFacts, parse_facts, read_text
from setup_wizard.bootstrap.status.states import NodeState
from setup_wizard.bootstrap.text import clean

LARGEST_DETAILS: Final = 4096  # bytes of JSON
MAX_WORD_LENGTH: Final = 60  # of a state, a time or a code: what a database column holds
LONGEST_DETAIL: Final = 1000
_DEEPEST_DETAIL = 5
_MOST_DETAILS = 64
_CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?")


def is_time(text: str) -> bool:
    """Tell whether a text is a time as nodes write it, and so nothing else."""
    return bool(_TIME.fullmatch(text))


def is_code(text: str) -> bool:
    """Tell whether a text looks like the codes of the API, such as "path_error", and not like words or a password."""
    return bool(_CODE.fullmatch(text))


@dataclass(frozen=True, slots=True)
class BootstrapStatus:
    """How a node's last bootstrap stands; `word` is the state as the node spelled it.

    The times are kept as text, precise to the second: they are compared with each other, never with a clock of ours.
    `error_details` is plain JSON of at most 4 KiB, its texts visible and capped, its meaning unchecked.
    """

    state: NodeState
    word: str
    start_time: str | None = None
    end_time: str | None = None
    error_code: str | None = None
    error_details: Mapping[str, object] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The state in words, or the node's own word where we do not know it."""
        return self.word if self.state is NodeState.UNRECOGNISED and self.word else self.state.label

    def without_words(self) -> "BootstrapStatus":
        """Give state, code and times alone: the rest of what a node says may quote a secret that is not known here."""
        is_plain = self.state is not NodeState.UNRECOGNISED or is_code(self.word)
        return replace(
            self,
            word=self.word if is_plain else "unknown",
            start_time=self.start_time if self.start_time and is_time(self.start_time) else None,
            end_time=self.end_time if self.end_time and is_time(self.end_time) else None,
            error_code=self.error_code if self.error_code and is_code(self.error_code) else None,
            error_details={},
        )


@dataclass(frozen=True, slots=True)
class BootstrapAnswer:
    """One answer of one node."""

    status: BootstrapStatus
    node: NodeFacts


def parse_answer(document: object) -> BootstrapAnswer:
    """Read the body of `GET /v1/bootstrap`, in the spelling of real nodes and in the documented one.

    Raises:
        UnreadableAnswer: there is no text under `bootstrap_status.state`, so nothing here speaks for a node.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/bootstrap/
    """
    if not isinstance(document, Mapping):
        raise UnreadableAnswer("the answer is no JSON object")
    status = document.get("bootstrap_status")
    if not isinstance(status, Mapping):
        raise UnreadableAnswer("the answer has no bootstrap_status")
    return BootstrapAnswer(_status(status), parse_facts(document.get("local_node_info")))


def parse_status(document: object) -> BootstrapStatus:
    """Read a bootstrap status that comes alone, as the answer to a check of a request: bare, or as in an answer.

    Raises:
        UnreadableAnswer: it has no state, so nothing here speaks for a node.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/bootstrap/validate/
    """
    if not isinstance(document, Mapping):
        raise UnreadableAnswer("the answer is no JSON object")
    status = document.get("bootstrap_status", document)
    if not isinstance(status, Mapping):
        raise UnreadableAnswer("bootstrap_status is no object")
    return _status(status)


def _status(document: Mapping[str, object]) -> BootstrapStatus:
    word = read_text(document.get("state"), MAX_WORD_LENGTH)
    if not word:
        raise UnreadableAnswer("bootstrap_status has no state")
    return BootstrapStatus(
        state=NodeState(word),
        word=word,
        start_time=read_text(document.get("start_time"), MAX_WORD_LENGTH),
        end_time=read_text(document.get("end_time"), MAX_WORD_LENGTH),
        error_code=read_text(document.get("error_code"), MAX_WORD_LENGTH),
        error_details=_details(document.get("error_details")),
    )


def _details(value: object) -> Mapping[str, object]:
    if isinstance(value, str):  # some nodes send the message bare
        value = {"message": value}
    if not isinstance(value, Mapping):
        return {}
    room = [LARGEST_DETAILS]
    kept = _keep(value, room, _DEEPEST_DETAIL)
    return kept if isinstance(kept, dict) else {}


def _keep(value: object, room: list[int], depth: int) -> object:
    """Copy what is plain and fits, and take its size from the room; what does not fit is left out."""
    if isinstance(value, str):
        text = clean(value, LONGEST_DETAIL)
        return text if _take(room, _size(text)) else None
    if isinstance(value, bool):
        return value if _take(room, 6) else None
    if isinstance(value, int):
        return value if abs(value) <= MAX_NUMBER and _take(room, 20) else None
    if isinstance(value, float):
        return value if math.isfinite(value) and _take(room, 24) else None
    if isinstance(value, Mapping):
        return _keep_mapping(value, room, depth - 1)
    if isinstance(value, list | tuple):
        return _keep_list(value, room, depth - 1)
    return None


def _keep_mapping(mapping: Mapping[object, object], room: list[int], depth: int) -> dict[str, object] | None:
    if depth < 0 or not _take(room, 2):
        return None
    kept: dict[str, object] = {}
    for key, item in list(mapping.items())[:_MOST_DETAILS]:
        name = read_text(key, 60)
        if name and _take(room, _size(name) + 4) and (value := _keep(item, room, depth)) is not None:
            kept[name] = value
    return kept


def _keep_list(items: list[object] | tuple[object, ...], room: list[int], depth: int) -> list[object] | None:
    if depth < 0 or not _take(room, 2):
        return None
    kept = (_keep(item, room, depth) for item in items[:_MOST_DETAILS])
    return [item for item in kept if item is not None]


def _size(text: str) -> int:
    return 2 * len(text.encode()) + 4  # quotes, separators, and room for escapes


def _take(room: list[int], size: int) -> bool:
    if size > room[0]:
        return False
    room[0] -= size
    return True
