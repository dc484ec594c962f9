"""The cluster's DNS suffixes: as lines of text, and the pair for private and public endpoints.

A line is a name, then options by their names in the API: `internal.example.com use_internal_addr slaves=10.0.0.9`.

Reference: https://redis.io/docs/latest/operate/rs/networking/private-public-endpoints/
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from setup_wizard.bootstrap.request.errors import messages_of, pydantic_errors
from setup_wizard.bootstrap.request.models import DnsSuffix
from setup_wizard.bootstrap.rules import RuleError
from setup_wizard.bootstrap.text import clean

_FLAGS: Final = ("cluster_default", "use_aaaa_ns", "use_internal_addr")
_SERVERS: Final = "slaves"


def read_suffix(line: str) -> dict[str, Any]:
    """Read one line as it stands in a request.

    Raises:
        RuleError: an unknown option, or a value that the request does not accept.
    """
    name, *options = line.split()
    document: dict[str, Any] = {"name": name}
    for option in options:
        key, sign, text = option.partition("=")
        if key == _SERVERS and text:
            document[key] = text.split(",")
        elif key in _FLAGS and (not sign or text in {"true", "false"}):
            document[key] = text != "false"
        else:
            known = ", ".join([*_FLAGS, f"{_SERVERS}=10.0.0.9"])
            raise RuleError(f"“{clean(option, 60)}” is not an option. Options are {known}.")
    try:
        suffix = DnsSuffix.model_validate(document)
    except ValidationError as error:
        messages = messages_of(pydantic_errors(error))
    else:
        return suffix.model_dump(mode="json", exclude_defaults=True)
    raise RuleError(" ".join(text for texts in messages.values() for text in texts))


def write_suffix(suffix: Mapping[str, Any]) -> str:
    """Write a suffix of a request as one line."""
    words = [str(suffix["name"])]
    words += [key if suffix[key] else f"{key}=false" for key in _FLAGS if suffix.get(key) is not None]
    if servers := suffix.get(_SERVERS):
        words.append(f"{_SERVERS}={','.join(servers)}")
    return " ".join(words)


def private_and_public(name: str) -> list[dict[str, Any]]:
    """Give the two suffixes of a cluster with this name that has private and public endpoints."""
    return [
        {"name": name, "cluster_default": True, "use_internal_addr": False},
        {"name": f"internal.{name}", "cluster_default": False, "use_internal_addr": True},
    ]
