"""The accounts that sign-ins are counted for, as keyed hashes."""

import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import vault
from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.reducer import Snapshot
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import Credentials

PURPOSE = "setup-wizard: refused sign-ins"


@dataclass(frozen=True)
class Account:
    """An account of a cluster.

    `certificates` are fingerprints of the cluster, the current one first. The user name is empty for sign-ins by client
    certificate.
    """

    certificates: tuple[str, ...]
    username: str

    @classmethod
    def of(cls, attempt: Attempt | Snapshot, username: str) -> Self:
        """Give the account of an attempt's cluster: a join's is known by its member, any other by the node itself."""
        member = attempt.member_fingerprint if attempt.action == Action.JOIN else ""
        known = [member, attempt.new_fingerprint, "" if member else attempt.fingerprint]
        return cls(tuple(dict.fromkeys(each for each in known if each)), username)

    @cached_property
    def cluster_hashes(self) -> list[str]:
        """The hashes under which the cluster may be stored; new rows use the first."""
        return [_hash(key, "cluster", each) for each in self.certificates for key in _keys()]

    @cached_property
    def account_hashes(self) -> list[str]:
        """The hashes under which the account may be stored; clusters may ignore upper and lower case."""
        name = self.username.strip().casefold()
        return [_hash(key, "account", each, name) for each in self.certificates for key in _keys()]

    @sensitive_variables()
    def credentials_hashes(self, credentials: Credentials) -> list[str]:
        """The hashes of the account together with these credentials."""
        own = (
            credentials.username,
            credentials.password.reveal(),
            credentials.client_cert.strip(),
            credentials.client_key.reveal().strip(),
        )
        return [_hash(key, "pair", each, *own) for each in self.certificates for key in _keys()]


def _keys() -> list[bytes]:
    return vault.derive_keys(PURPOSE)


@sensitive_variables()
def _hash(key: bytes, *parts: str) -> str:
    # hashed separately first, so that a part cannot run into the next
    whole = b"".join(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest() for part in parts)
    return hmac.new(key, whole, hashlib.sha256).hexdigest()
