"""The request with a variable for each of its secrets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, Final

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, Credentials
from setup_wizard.bootstrap.secret import MASK, Secret
from setup_wizard.bootstrap.text import clean

FREE_OBJECTS: Final = ("witness_disk", "user_defined_modules")  # a secret in them can be more than a text

_NAMES: Final = {"credentials.password": "cluster_password", "credentials.client_key": "client_key_file"}


@dataclass(frozen=True, slots=True)
class Variable:
    """A secret to supply when the rendering runs; `kind` is "text", "file" (its path is asked for) or "json"."""

    name: str
    prompt: str
    kind: str

    @property
    def shell(self) -> str:
        """Its name in a shell, which is also that of an environment variable."""
        return self.name.upper()


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What is rendered: `document` is the request's JSON with variables in it, `shown` the same with asterisks."""

    action: Action
    address: str
    fingerprint: str
    document: dict[str, Any]
    shown: dict[str, Any]
    variables: tuple[Variable, ...]

    @classmethod
    def of(cls, request: BootstrapRequest, address: str, fingerprint: str) -> "Bootstrap":
        """Put a variable in the place of each secret."""
        shown = request.redacted()
        found: list[Variable] = []
        document = _with_variables(shown, {name: getattr(request, name) for name in FREE_OBJECTS}, "", found)
        return cls(request.action, address, fingerprint, document, shown, tuple(found))

    @property
    def title(self) -> str:
        """What it does, in one line."""
        cluster = self.shown["cluster"].get("name") or "a cluster"
        if self.action is Action.JOIN:
            return clean(f"Join {self.address} to {cluster}", 200)
        return clean(f"{self.action.verb} {cluster} on {self.address}", 200)

    @property
    def url(self) -> str:
        """Where the request is posted to."""
        return f"https://{self.address}{self.action.path}"


def with_placeholders(request: BootstrapRequest, credentials: Mapping[str, object]) -> BootstrapRequest:
    """Give a request that was read without its secrets placeholders for them.

    `credentials` is what is known of them, such as the user name; what is missing becomes a variable too.
    """
    if request.credentials is not None or (request.action is Action.RECOVER and not credentials):
        return request
    known = {key: value for key, value in credentials.items() if isinstance(value, str)}
    if known.get("client_cert") and not known.get("username"):
        shown = {"client_cert": known["client_cert"], "trusted_ca": known.get("trusted_ca", "")}
        return request.with_credentials(Credentials.model_construct(None, **shown, client_key=Secret(MASK)))
    username = known.get("username") or MASK
    return request.with_credentials(Credentials.model_construct(username=username, password=Secret(MASK)))


def _with_variables(shown: Any, clear: Any, path: str, found: list[Variable]) -> Any:
    """Copy `shown` with a variable for each text that has a hidden part; `clear` is the same in clear, if known."""
    if isinstance(shown, dict):
        inner = clear if isinstance(clear, Mapping) else {}
        return {key: _with_variables(value, inner.get(key), _join(path, key), found) for key, value in shown.items()}
    if isinstance(shown, list):
        entries = clear if isinstance(clear, list | tuple) else [None] * len(shown)
        return [
            _with_variables(*pair, _join(path, str(index)), found)
            for index, pair in enumerate(zip(shown, entries, strict=True))
        ]
    if not isinstance(shown, str) or MASK not in shown:
        return shown
    kind = "file" if path == "credentials.client_key" else "text" if clear is None or isinstance(clear, str) else "json"
    variable = Variable(_name_of(path, {each.name for each in found}), _prompt_for(path, shown, kind), kind)
    found.append(variable)
    return variable


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _name_of(path: str, taken: set[str]) -> str:
    base = _NAMES.get(path) or re.sub(r"[^a-z0-9]+", "_", path.lower())[:60].strip("_")
    names = chain([base], (f"{base}_{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def _prompt_for(path: str, shown: str, kind: str) -> str:
    if path == "credentials.password":
        return "Password of the cluster's administrator"
    if kind == "file":
        return "File with the key of the client certificate"
    form = " as JSON" if kind == "json" else f" ({shown})" if shown != MASK else ""
    return clean(f"{path}{form}", 200)
