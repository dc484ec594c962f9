"""What the result of a check depends on, as a keyed digest: it reveals no password and no license."""

import hashlib
import hmac
import json
from typing import Any

from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import vault
from setup_wizard.attempts.preflight.check import Check
from setup_wizard.attempts.preflight.node_setup import NodeSetup

PURPOSE = "setup-wizard: inputs of checks"


class Inputs:
    """The inputs of the checks of one setup."""

    @sensitive_variables()
    def __init__(self, setup: NodeSetup) -> None:
        self._key = vault.derive_keys(PURPOSE)[0]
        # everything that is not in the request; of the credentials, when they were entered
        self._always = [str(setup.address), setup.fingerprint, setup.accept_new_certificate]
        self._members = [*map(str, setup.members), setup.member_fingerprint]
        username = setup.credentials.username if setup.credentials else ""
        self._document: dict[str, Any] = setup.request.model_dump(exclude={"credentials"})
        self._document["credentials"] = [username, setup.credentials_stored_at]

    @sensitive_variables()
    def digest(self, check: Check) -> str:
        """Give the digest of what a check depends on."""
        values = [self._value(path) for path in check.depends_on]
        if any("cluster.nodes".startswith(path) for path in check.depends_on):
            values.append(self._members)
        whole = json.dumps([check.name, self._document["action"], self._always, values], default=str, sort_keys=True)
        return hmac.new(self._key, whole.encode(), hashlib.sha256).hexdigest()

    def _value(self, path: str) -> Any:
        value: Any = self._document
        for key in filter(None, path.split(".")):
            value = value.get(key) if isinstance(value, dict) else None
        return value
