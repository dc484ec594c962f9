"""What is to be started."""

from dataclasses import dataclass, field
from datetime import datetime

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, Credentials
from setup_wizard.nodes.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSetup:
    """The request for one node, without its credentials, and what the operator approved.

    `members` are the members of a join to ask, first the member that it is checked against. `credentials` are those
    stored for it; None when there are none. With `names_certificates` the fingerprints come from somebody who compared
    them, so no stored approval is needed. With `cluster_comes_later` the node joins a cluster that does not exist yet,
    so that only the node itself can be checked.
    """

    address: Address
    request: BootstrapRequest
    fingerprint: str
    members: tuple[Address, ...] = ()
    member_fingerprint: str | None = None
    names_certificates: bool = False
    cluster_comes_later: bool = False
    accept_new_certificate: bool = False
    credentials: Credentials | None = field(default=None, repr=False)
    credentials_stored_at: datetime | None = None

    @property
    def action(self) -> Action:
        """The action of the request."""
        return self.request.action
