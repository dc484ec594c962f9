"""Strict JSON from strangers.

NotAStatus      an answer that does not say how a bootstrap stands: not a node, or a page of something in between
└── NotJson     not even JSON that we accept
"""

from setup_wizard.bootstrap.strict_json import InvalidJson, read_json


class NotAStatus(ValueError):
    """An answer that does not say how a bootstrap stands."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotJson(NotAStatus):
    """An answer that is no JSON, or JSON that means different things to different readers."""


def parse_json(body: bytes) -> object:
    """Read UTF-8 JSON and nothing looser; the caller has capped its length.

    Raises:
        NotJson: no JSON, NaN or Infinity, a key given twice, or nested deeper than 20.
    """
    try:
        return read_json(body)
    except InvalidJson as error:
        reason = error.reason
    raise NotJson(reason)
