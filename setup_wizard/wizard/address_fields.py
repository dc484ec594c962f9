"""Addresses that are picked from what a node reports, or typed."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from setup_wizard.bootstrap.status import NodeAddress
from setup_wizard.wizard.fields import ListField, RadioOption


class PickedOrTyped(forms.Textarea):
    """Checkboxes and a text box of one name."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """Return what was picked and what was typed, one per line."""
        del files
        values = data.getlist(name) if hasattr(data, "getlist") else [data.get(name)]
        return "\n".join(value for value in values if value) if values else None


class BoundAddresses(BoundField):
    """The addresses of one form: which are picked, and which are typed."""

    field: "AddressesField"

    @property
    def picks(self) -> list[tuple[RadioOption, bool]]:
        """The node's addresses, and whether each is picked."""
        chosen = self._chosen()
        return [(option, option.value in chosen) for option in self.field.options]

    @property
    def typed(self) -> str:
        """The other addresses, one per line."""
        offered = {option.value for option in self.field.options}
        return "\n".join(line for line in self._chosen() if line not in offered)

    def _chosen(self) -> list[str]:
        return str(self.value() or "").splitlines()


class AddressesField(ListField):
    """Several addresses, some of them offered; `clean` returns a list."""

    kind = "addresses"

    def __init__(self, **options: Any) -> None:
        self.options: list[RadioOption] = []
        super().__init__(widget=PickedOrTyped, **options)

    def get_bound_field(self, form: Any, field_name: str) -> BoundAddresses:
        """Tell picked and typed addresses apart."""
        return BoundAddresses(form, self, field_name)


def rank_addresses(addresses: Iterable[NodeAddress], used: str) -> list[NodeAddress]:
    """Sort addresses, the likeliest internal one first: the one `used` by the probe, then those of its family."""
    return sorted(addresses, key=lambda address: _rank(address, used))


def is_reachable(address: NodeAddress) -> bool:
    """Tell whether other machines can usually reach this address."""
    parsed = ip_address(address.address)
    return not (parsed.is_loopback or parsed.is_link_local or address.is_bridge)


def describe_address(address: NodeAddress) -> RadioOption:
    """Return the address as an option, with its interface and scope beside it."""
    return RadioOption(address.address, address.address, _remark(address), is_code=True)


def _rank(address: NodeAddress, used: str) -> tuple[bool, ...]:
    """Return a sort key; what other nodes are least likely to reach sorts last."""
    parsed = ip_address(address.address)
    family = "ipv6" if ":" in used else "ipv4"
    is_public = not (parsed.is_private if address.private is None else address.private)
    return (
        address.address != used,
        parsed.is_link_local,
        parsed.is_loopback,
        address.is_bridge,
        address.format != family,
        is_public,
    )


def _remark(address: NodeAddress) -> str:
    scope = {True: "private", False: "public", None: ""}[address.private]
    parsed = ip_address(address.address)
    if parsed.is_loopback:
        scope = "loopback"
    elif parsed.is_link_local:
        scope = "link-local, rarely right"
    elif address.is_bridge:
        scope = "bridge, rarely right"
    return " · ".join(word for word in (address.if_name, scope) if word)
