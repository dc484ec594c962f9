"""What is sent, strictly: what another reader would refuse is refused here."""

import json
from typing import Any, Never

from django.http import HttpRequest
from ninja import Schema
from ninja.parser import Parser

from setup_wizard.attempts.api.problems import invalid
from setup_wizard.bootstrap.text import clean


class StrictParser(Parser):
    """Read JSON without the numbers that JSON does not have; the framework makes a 400 of whatever is raised."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Give what the body says.

        Raises:
            ValueError: it is not JSON, or has NaN or Infinity in it.
        """
        document: dict[str, Any] = json.loads(request.body, parse_constant=_refuse)
        return document


def refuse_unknown(request: HttpRequest, shape: type[Schema]) -> None:
    """Let no parameter pass that the call does not have: a misspelt filter would list everything.

    Raises:
        Problem: 422 with each of them.
    """
    unknown = [name for name in request.GET if name not in shape.model_fields]
    if unknown:
        raise invalid({clean(name, 60) or "?": ["There is no such field."] for name in unknown})


def _refuse(word: str) -> Never:
    raise ValueError(f"{word} is no number of JSON")
