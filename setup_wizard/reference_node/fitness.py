"""Whether a request fits the node that it was sent to: looked at, with nothing changed."""

import ipaddress
from collections.abc import Sequence

from setup_wizard.reference_node.configuration import Configuration
from setup_wizard.reference_node.errors import BootstrapFailed
from setup_wizard.reference_node.license import Use, check_terms, find_license
from setup_wizard.reference_node.lifecycle import Action
from setup_wizard.reference_node.options import Traits
from setup_wizard.reference_node.storage import Storage


def check_fitness(
    configuration: Configuration, *, addresses: Sequence[str], storage: Storage, traits: Traits, now: float
) -> None:
    """Refuse what cannot be done here, before anybody else is asked and anything is made.

    `addresses` are the node's own, `storage` the paths that it has now. Raises BootstrapFailed: `config_error` when
    the address is not one of them, `path_error`, and for a new cluster `invalid_license`.
    """
    check_address(configuration, addresses)
    configuration.storage(storage).check(traits.mounts)
    # a node that joins brings no license: its cluster has one
    if configuration.action is Action.CREATE:
        terms = find_license(configuration.license, configuration.name, int(now))
        check_terms(terms, configuration.name, Use(nodes=1, flash=configuration.flash), now)


def check_address(configuration: Configuration, addresses: Sequence[str]) -> None:
    """Refuse an address inside the cluster that is none of the node's own; raises BootstrapFailed."""
    known = {ipaddress.ip_address(address) for address in addresses}
    if configuration.addr and ipaddress.ip_address(configuration.addr) not in known:
        message = f"{configuration.addr} is not an address of this node, which has {', '.join(addresses)}"
        raise BootstrapFailed("config_error", message, field="node.identity.addr", available_addresses=list(addresses))
