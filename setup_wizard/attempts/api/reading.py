"""A body as JSON, strictly: what another reader would refuse is refused here."""

import json
from typing import Any, Never

from django.http import HttpRequest
from ninja.parser import Parser


class StrictParser(Parser):
    """Read JSON without the numbers that JSON does not have; the framework makes a 400 of whatever is raised."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Give what the body says.

        Raises:
            ValueError: it is not JSON, or has NaN or Infinity in it.
        """
        document: dict[str, Any] = json.loads(request.body, parse_constant=_refuse)
        return document


def _refuse(word: str) -> Never:
    raise ValueError(f"{word} is no number of JSON")
