"""The second step: where the node keeps its data and how it is reached."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, ClassVar

from django import forms

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request.fields import MAX_NUMBER
from setup_wizard.bootstrap.rules import RuleError, check_address, check_path, check_rack_id
from setup_wizard.bootstrap.sizes import format_size
from setup_wizard.bootstrap.status import NodeAddress, NodeFacts
from setup_wizard.wizard.fields import LinesField, Option, PickField, TextField
from setup_wizard.wizard.forms.step import Fieldset, StepForm
from setup_wizard.wizard.models import BASE, without_flash

FLASH_FLAG_SINCE = (7, 8)
OTHER = "other"
PERSISTENT = "/var/opt/redislabs/persist"
EPHEMERAL = "/var/opt/redislabs/tmp"


def check_uid(text: str) -> int:
    """Give the number of a node.

    Raises:
        RuleError: not a whole number above 0.
    """
    number = text.strip()
    if not (number.isascii() and number.isdigit() and len(number) <= 10 and 1 <= int(number) <= MAX_NUMBER):
        raise RuleError("A node's number is a whole number, such as 2. The cluster's list of nodes shows it.")
    return int(number)


class NodeForm(StepForm):
    """Paths, addresses and rack, suggested from the node's own values."""

    key = "node"
    title = "Where this node keeps its data and how it is reached"
    lead = "Taken from the node where it told us. Change what is different here."
    next_label = "Next: cluster and credentials"
    fieldsets = (
        Fieldset("Storage", ("persistent_path", "ephemeral_path")),
        Fieldset(
            "Address for traffic between nodes",
            ("addr", "other_addr"),
            hint="One address that the other nodes reach. It cannot be changed later from IPv4 to IPv6.",
        ),
        Fieldset("More: rack, external addresses, flash", ("rack_id", "external_addr", "bigstore_path"), advanced=True),
        Fieldset("More: take the place of an old node", ("uid",), advanced=True),
    )
    paths: ClassVar[Mapping[str, str]] = {
        "persistent_path": "node.paths.persistent_path",
        "ephemeral_path": "node.paths.ephemeral_path",
        "addr": "node.identity.addr",
        "rack_id": "node.identity.rack_id",
        "external_addr": "node.identity.external_addr",
        "bigstore_path": "node.paths.bigstore_path",
        "uid": "node.identity.uid",
    }

    persistent_path = TextField(
        label="Persistent storage",
        help_text="Survives a restart. A local or block volume, not NFS.",
        rule=check_path,
        missing="Enter the path where the node keeps data that must survive a restart.",
    )
    ephemeral_path = TextField(
        label="Ephemeral storage",
        help_text="Scratch space. A fast local disk.",
        rule=check_path,
        missing="Enter the path where the node keeps scratch data.",
    )
    addr = PickField(label="Internal address", missing="Choose the address that the other nodes reach.")
    other_addr = TextField(
        label="The other address",
        help_text="Needed when you chose “Another address” above.",
        rule=check_address,
        required=False,
        depends=True,
    )
    rack_id = TextField(
        label="Rack id",
        help_text="Only for a rack-aware cluster: the rack or zone this node stands in, such as rack-a. "
        "It cannot be changed later. Copies of data go to different racks, so three nodes want three racks.",
        rule=check_rack_id,
        required=False,
    )
    external_addr = LinesField(
        label="External addresses",
        help_text="Addresses at which applications reach this node, when they differ. One on each line.",
        rule=check_address,
        required=False,
    )
    bigstore_path = TextField(
        label="Flash storage",
        help_text="Only to extend memory with flash drives: their mount point, such as /var/opt/redislabs/flash. "
        "It cannot be turned on later.",
        rule=check_path,
        required=False,
    )
    uid = TextField(
        label="Number of the failed node it replaces",
        help_text="Only when this node takes the place of one that the cluster lost, such as 2.",
        rule=check_uid,
        required=False,
    )

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        for name in self.paths.keys() - self.paths_for(self.draft.wanted):
            del self.fields[name]
        if self.draft.wanted is Action.RECOVER:
            self.fields["uid"].label = "Number of the old node it stands for"
            self.fields["uid"].help_text = (
                "Left empty, it takes the place of the old node with the lowest number. The other old nodes are "
                "replaced later, one by one."
            )
        self._offer_addresses()
        self._name_origins()

    @classmethod
    def paths_for(cls, action: Action) -> Mapping[str, str]:
        """Leave the number of an old node out of a create: there is none."""
        return {name: path for name, path in cls.paths.items() if action is not Action.CREATE or name != "uid"}

    @property
    def facts(self) -> NodeFacts:
        """What the node said of itself."""
        node = self.draft.node
        return node.answer.node if node and node.answer else NodeFacts()

    @property
    def ranked_addresses(self) -> list[NodeAddress]:
        """The node's addresses, the likeliest first: the one it was reached at, then those of the same family."""
        used = self.draft.node.endpoint.ip if self.draft.node else ""
        return sorted(self.facts.addresses, key=lambda address: _rank(address, used))

    def suggest(self) -> dict[str, Any]:
        """Suggest the node's own paths and its likeliest address."""
        likely = self.ranked_addresses
        return {
            "persistent_path": self.facts.persistent_storage_path or PERSISTENT,
            "ephemeral_path": self.facts.ephemeral_storage_path or EPHEMERAL,
            "addr": likely[0].address if likely else "",
            "uid": self.draft.carried("node.identity.uid"),
        }

    def clean_other_addr(self) -> str:
        """Take the typed address in place of the choice, when that is what was chosen."""
        other = str(self.cleaned_data.get("other_addr", ""))
        if self.cleaned_data.get("addr") == OTHER:
            if not other:
                raise forms.ValidationError("Enter the address that the other nodes reach.")
            self.cleaned_data["addr"] = other
        return other

    def values(self) -> dict[str, Any]:
        """Give the cleaned values; a field that this action does not have is left out."""
        return {name: self.cleaned_data[name] for name in self.paths if name in self.fields}

    def changes(self) -> dict[str, Any]:
        """Write the values, and how flash is asked for when its path has changed."""
        data = {**self.draft.data, self.key: self.values()}
        if self.values()["bigstore_path"] != self.draft.values(self.key).get("bigstore_path", ""):
            data[BASE] = without_flash(self.draft.values(BASE))
            data[BASE]["node"] |= self._flash()
        return {"data": data}

    def _flash(self) -> dict[str, Any]:
        """Turn flash on when it has a path, in the words of the node's version."""
        if not self.values()["bigstore_path"]:
            return {}
        numbers = re.match(r"(\d{1,4})\.(\d{1,4})", self.facts.software_version or "")
        if numbers and (int(numbers[1]), int(numbers[2])) < FLASH_FLAG_SINCE:
            return {"bigstore_driver": "rocksdb"}
        return {"bigstore_enabled": True}

    def compared(self) -> list[str]:
        """Compare what there is for this action."""
        return [name for name in self.paths if name in self.fields]

    def _offer_addresses(self) -> None:
        field = self.fields["addr"]
        assert isinstance(field, PickField)  # noqa: S101 - tells the type checker what the class body says
        known = [address.address for address in self.facts.addresses]
        options = [Option(item.address, item.address, _remark(item), is_code=True) for item in self.ranked_addresses]
        field.is_code = True
        field.offer([*options, Option(OTHER, "Another address", "typed below")])
        chosen = self.initial.get("addr")
        if not known:
            self.initial["addr"] = OTHER
        if chosen and chosen not in known:
            self.initial.update(addr=OTHER, other_addr=chosen)

    def _name_origins(self) -> None:
        facts = self.facts
        told = {
            "persistent_path": (facts.persistent_storage_path, facts.persistent_storage_size),
            "ephemeral_path": (facts.ephemeral_storage_path, facts.ephemeral_storage_size),
        }
        for name, (path, size) in told.items():
            if path and self[name].value() == path:
                shown = format_size(size)
                field = self.fields[name]
                assert isinstance(field, TextField)  # noqa: S101 - likewise
                field.origin = f"From the node · {shown}" if shown else "From the node"


def _rank(address: NodeAddress, used: str) -> tuple[bool, ...]:
    """Sort by what is least likely to be reached by other nodes; False comes first."""
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
    reach = {True: "private", False: "public", None: ""}[address.private]
    parsed = ip_address(address.address)
    if parsed.is_loopback:
        reach = "loopback"
    elif parsed.is_link_local:
        reach = "link-local, rarely right"
    elif address.is_bridge:
        reach = "bridge, rarely right"
    return " · ".join(word for word in (address.if_name, reach) if word)
