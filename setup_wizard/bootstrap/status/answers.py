"""The answer to `GET /v1/bootstrap`."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from setup_wizard.bootstrap.status.errors import UnreadableAnswer
from setup_wizard.bootstrap.status.facts import MAX_NUMBER, NodeFacts, parse_facts, read_text
from setup_wizard.bootstrap.status.states import NodeState
from setup_wizard.bootstrap.text import clean

MAX_DETAILS: Final = 4096  # bytes of JSON
MAX_WORD_LENGTH: Final = 60  # of a state, a time or a code: what a database column holds
MAX_DETAIL_LENGTH: Final = 1000
MAX_WARNINGS: Final = 20
MAX_WARNING_LENGTH: Final = 500
_MAX_DETAIL_DEPTH = 5
_MAX_DETAIL_ENTRIES = 64
_CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?")


def is_time(text: str) -> bool:
    """Tell whether a text is a time as nodes write it."""
    return bool(_TIME.fullmatch(text))


def is_code(text: str) -> bool:
    """Tell whether a text looks like a code of the API, such as "path_error"."""
    return bool(_CODE.fullmatch(text))


@dataclass(frozen=True, slots=True)
class BootstrapWarning:
    """What a bootstrap went on without, such as a module that it could not download.

    `kind` is the node's own word, such as "module_download_failed".
    """

    kind: str
    message: str = ""
    module: str = ""


@dataclass(frozen=True, slots=True)
class BootstrapStatus:
    """The status of a node's last bootstrap; `word` is the state as the node sent it.

    The times are kept as text: they are compared with each other, never with a clock of ours.
    `error_details` is plain JSON of at most 4 KiB, with visible, limited texts and unchecked meaning.
    """

    state: NodeState
    word: str
    start_time: str | None = None
    end_time: str | None = None
    error_code: str | None = None
    error_details: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[BootstrapWarning, ...] = ()

    @property
    def label(self) -> str:
        """The state in words, or the node's own word when it is unknown."""
        return self.word if self.state is NodeState.UNRECOGNISED and self.word else self.state.label

    def without_words(self) -> "BootstrapStatus":
        """Give only state, code and times: anything else that a node sends may contain an unknown secret."""
        is_plain = self.state is not NodeState.UNRECOGNISED or is_code(self.word)
        return replace(
            self,
            word=self.word if is_plain else "unknown",
            start_time=self.start_time if self.start_time and is_time(self.start_time) else None,
            end_time=self.end_time if self.end_time and is_time(self.end_time) else None,
            error_code=self.error_code if self.error_code and is_code(self.error_code) else None,
            error_details={},
            warnings=(),
        )


@dataclass(frozen=True, slots=True)
class BootstrapAnswer:
    """One answer of a node: the status of its bootstrap and its facts."""

    status: BootstrapStatus
    node: NodeFacts


def parse_answer(document: object) -> BootstrapAnswer:
    """Read the body of `GET /v1/bootstrap`, as real nodes or as the documentation spell it.

    Raises:
        UnreadableAnswer: there is no text under `bootstrap_status.state`.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/bootstrap/
    """
    if not isinstance(document, Mapping):
        raise UnreadableAnswer("the answer is not a JSON object")
    status = document.get("bootstrap_status")
    if not isinstance(status, Mapping):
        raise UnreadableAnswer("the answer has no bootstrap_status")
    return BootstrapAnswer(_status(status), parse_facts(document.get("local_node_info")))


def parse_status(document: object) -> BootstrapStatus:
    """Read the answer to a check of a request: a bare bootstrap status, or one as in `parse_answer`.

    Raises:
        UnreadableAnswer: it has no state.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/bootstrap/validate/
    """
    if not isinstance(document, Mapping):
        raise UnreadableAnswer("the answer is not a JSON object")
    status = document.get("bootstrap_status", document)
    if not isinstance(status, Mapping):
        raise UnreadableAnswer("bootstrap_status is not an object")
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
        warnings=tuple(_warnings(document.get("warnings") or document.get("warning"))),
    )


def _warnings(value: object) -> Iterator[BootstrapWarning]:
    """Read the warnings of a status: the documentation says what one contains, but not where the list stands.

    Reference: https://redis.io/docs/latest/operate/rs/installing-upgrading/modules/add-module-to-cluster/
    """
    for entry in (value if isinstance(value, list) else [value])[:MAX_WARNINGS]:
        known = entry if isinstance(entry, Mapping) else {"message": entry}
        details = known.get("details")
        kind = read_text(known.get("warning_type"), MAX_WORD_LENGTH) or ""
        message = read_text(known.get("message"), MAX_WARNING_LENGTH) or ""
        module = read_text(details.get("module_name"), MAX_WORD_LENGTH) if isinstance(details, Mapping) else None
        if kind or message:
            yield BootstrapWarning(kind, message, module or "")


def _details(value: object) -> Mapping[str, object]:
    if isinstance(value, str):  # some nodes send only the message
        value = {"message": value}
    if not isinstance(value, Mapping):
        return {}
    left = [MAX_DETAILS]
    kept = _keep(value, left, _MAX_DETAIL_DEPTH)
    return kept if isinstance(kept, dict) else {}


def _keep(value: object, left: list[int], depth: int) -> object:
    """Copy plain values that fit into the remaining bytes `left`; the others are left out."""
    if isinstance(value, str):
        text = clean(value, MAX_DETAIL_LENGTH)
        return text if _take(left, _size(text)) else None
    if isinstance(value, bool):
        return value if _take(left, 6) else None
    if isinstance(value, int):
        return value if abs(value) <= MAX_NUMBER and _take(left, 20) else None
    if isinstance(value, float):
        return value if math.isfinite(value) and _take(left, 24) else None
    if isinstance(value, Mapping):
        return _keep_mapping(value, left, depth - 1)
    if isinstance(value, list | tuple):
        return _keep_list(value, left, depth - 1)
    return None


def _keep_mapping(mapping: Mapping[object, object], left: list[int], depth: int) -> dict[str, object] | None:
    if depth < 0 or not _take(left, 2):
        return None
    kept: dict[str, object] = {}
    for key, item in list(mapping.items())[:_MAX_DETAIL_ENTRIES]:
        name = read_text(key, 60)
        if name and _take(left, _size(name) + 4) and (value := _keep(item, left, depth)) is not None:
            kept[name] = value
    return kept


def _keep_list(items: list[object] | tuple[object, ...], left: list[int], depth: int) -> list[object] | None:
    if depth < 0 or not _take(left, 2):
        return None
    kept = (_keep(item, left, depth) for item in items[:_MAX_DETAIL_ENTRIES])
    return [item for item in kept if item is not None]


def _size(text: str) -> int:
    return 2 * len(text.encode()) + 4  # with quotes, separators and escapes


def _take(left: list[int], size: int) -> bool:
    if size > left[0]:
        return False
    left[0] -= size
    return True
