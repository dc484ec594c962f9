"""Read the JSON that a node or its cluster sends.

UnreadableAnswer    the answer lacks what we asked for: it is not a node, or a proxy answered with a page of its own
└── NotJson         the answer is not JSON that we accept
"""

from setup_wizard.bootstrap.strict_json import InvalidJson, read_json


class UnreadableAnswer(ValueError):
    """An answer without what we asked for."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotJson(UnreadableAnswer):
    """An answer that is not JSON, or JSON that two readers may understand differently."""


def parse_json(body: bytes) -> object:
    """Read UTF-8 JSON and nothing looser; the caller has capped its length.

    Raises:
        NotJson: not JSON, NaN or Infinity, a duplicate key, or nested deeper than 20.
    """
    try:
        return read_json(body)
    except InvalidJson as error:
        reason = error.reason
    raise NotJson(reason)  # outside of the handler: the parser's own error holds the whole text
