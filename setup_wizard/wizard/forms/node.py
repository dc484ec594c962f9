"""The second step: storage paths, addresses and rack of the node."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, ClassVar

from django import forms

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request.fields import MAX_NUMBER
from setup_wizard.bootstrap.rules import RuleError, check_address, check_path, check_rack_id
from setup_wizard.bootstrap.sizes import format_size
from setup_wizard.bootstrap.status import NodeAddress, NodeFacts
from setup_wizard.bootstrap.versions import read_version
from setup_wizard.wizard.fields import ListField, RadioField, RadioOption, TextField
from setup_wizard.wizard.forms.step import Fieldset, StepForm
from setup_wizard.wizard.models import EXTRA, without_flash

FLASH_FLAG_SINCE = (7, 8)
OTHER = "other"
PERSISTENT = "/var/opt/redislabs/persist"
EPHEMERAL = "/var/opt/redislabs/tmp"


def check_uid(text: str) -> int:
    """Return the ID of a node.

    Raises:
        RuleError: not a whole number above 0.
    """
    number = text.strip()
    if not (number.isascii() and number.isdigit() and len(number) <= 10 and 1 <= int(number) <= MAX_NUMBER):
        raise RuleError("A node ID is a whole number, such as 2. The cluster's list of nodes shows it.")
    return int(number)


class NodeForm(StepForm):
    """Paths, addresses and rack, prefilled with the node's own values."""

    key = "node"
    title = "Storage and network"
    lead = "Prefilled from the node. Adjust if needed."
    next_label = "Next: cluster and credentials"
    fieldsets = (
        Fieldset("Storage", ("persistent_path", "ephemeral_path")),
        Fieldset(
            "Internal address",
            ("addr", "other_addr"),
            hint="The other nodes reach this node at this address. It cannot be changed from IPv4 to IPv6 later.",
        ),
        Fieldset("Rack, external addresses, flash", ("rack_id", "external_addr", "bigstore_path"), advanced=True),
        Fieldset("Replace a failed node", ("uid",), advanced=True),
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
        help_text="Keeps data across restarts. Use a local or block volume, not NFS.",
        rule=check_path,
        missing="Enter the path of the persistent storage.",
    )
    ephemeral_path = TextField(
        label="Ephemeral storage",
        help_text="Holds temporary data. Use a fast local disk.",
        rule=check_path,
        missing="Enter the path of the ephemeral storage.",
    )
    addr = RadioField(label="Internal address", missing="Choose the internal address.")
    other_addr = TextField(
        label="Other internal address",
        help_text="Needed if you chose “Other…”.",
        rule=check_address,
        required=False,
        conditional=True,
    )
    rack_id = TextField(
        label="Rack ID",
        help_text="Only for a rack-aware cluster: the rack or zone of this node, such as `rack-a`. "
        "It cannot be changed later. Replicas are placed in different racks, so three nodes need three racks.",
        rule=check_rack_id,
        required=False,
    )
    external_addr = ListField(
        label="External addresses",
        help_text="Addresses that applications use, if they differ. One per line.",
        rule=check_address,
        required=False,
    )
    bigstore_path = TextField(
        label="Flash storage",
        help_text="Only to extend memory with flash drives: their mount point, such as `/var/opt/redislabs/flash`. "
        "It cannot be turned on later.",
        rule=check_path,
        required=False,
    )
    uid = TextField(
        label="ID of the failed node",
        help_text="Only if this node replaces a lost node of the cluster, such as 2.",
        rule=check_uid,
        required=False,
    )

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        for name in self.paths.keys() - self.paths_for(self.draft.chosen_action):
            del self.fields[name]
        if self.draft.chosen_action is Action.RECOVER:
            self.fields["uid"].label = "ID of the old node to replace"
            self.fields[
                "uid"
            ].help_text = (
                "If empty, this node replaces the old node with the lowest ID. Replace the others later, one by one."
            )
        self._set_address_options()
        self._mark_reported_paths()

    @classmethod
    def paths_for(cls, action: Action) -> Mapping[str, str]:
        """Leave out the ID of a failed node for a create."""
        return {name: path for name, path in cls.paths.items() if action is not Action.CREATE or name != "uid"}

    @property
    def facts(self) -> NodeFacts:
        """What the node reports about itself."""
        node = self.draft.node
        return node.answer.node if node and node.answer else NodeFacts()

    @property
    def ranked_addresses(self) -> list[NodeAddress]:
        """The node's addresses, the likeliest first: the probed one, then those of the same family."""
        used = self.draft.node.endpoint.ip if self.draft.node else ""
        return sorted(self.facts.addresses, key=lambda address: _rank(address, used))

    def suggest(self) -> dict[str, Any]:
        """Suggest the node's own paths and its likeliest address."""
        likely = self.ranked_addresses
        return {
            "persistent_path": self.facts.persistent_storage_path or PERSISTENT,
            "ephemeral_path": self.facts.ephemeral_storage_path or EPHEMERAL,
            "addr": likely[0].address if likely else "",
            "uid": self.draft.extra_value("node.identity.uid"),
        }

    def clean_other_addr(self) -> str:
        """Use the typed address if “Other…” is chosen."""
        other = str(self.cleaned_data.get("other_addr", ""))
        if self.cleaned_data.get("addr") == OTHER:
            if not other:
                raise forms.ValidationError("Enter the internal address.")
            self.cleaned_data["addr"] = other
        return other

    def values(self) -> dict[str, Any]:
        """Return the cleaned values of the fields that this action has."""
        return {name: self.cleaned_data[name] for name in self.paths if name in self.fields}

    def changes(self) -> dict[str, Any]:
        """Write the values, and the flash options when the flash path has changed."""
        data = {**self.draft.data, self.key: self.values()}
        if self.values()["bigstore_path"] != self.draft.values(self.key).get("bigstore_path", ""):
            data[EXTRA] = without_flash(self.draft.values(EXTRA))
            data[EXTRA]["node"] |= self._flash_options()
        return {"data": data}

    def _flash_options(self) -> dict[str, Any]:
        """Return the option that turns flash on in the node's version; nothing without a flash path."""
        if not self.values()["bigstore_path"]:
            return {}
        version = read_version(self.facts.software_version)
        if version and version < FLASH_FLAG_SINCE:
            return {"bigstore_driver": "rocksdb"}
        return {"bigstore_enabled": True}

    def compared_fields(self) -> list[str]:
        """Compare the fields that this action has."""
        return [name for name in self.paths if name in self.fields]

    def _set_address_options(self) -> None:
        field = self.fields["addr"]
        assert isinstance(field, RadioField)  # noqa: S101 - tells the type checker what the class body says
        known = [address.address for address in self.facts.addresses]
        options = [
            RadioOption(each.address, each.address, _remark(each), is_code=True) for each in self.ranked_addresses
        ]
        field.is_code = True
        field.set_options([*options, RadioOption(OTHER, "Other…")])
        chosen = self.initial.get("addr")
        if not known:
            self.initial["addr"] = OTHER
        if chosen and chosen not in known:
            self.initial.update(addr=OTHER, other_addr=chosen)

    def _mark_reported_paths(self) -> None:
        facts = self.facts
        reported = {
            "persistent_path": (facts.persistent_storage_path, facts.persistent_storage_size),
            "ephemeral_path": (facts.ephemeral_storage_path, facts.ephemeral_storage_size),
        }
        for name, (path, size) in reported.items():
            if path and self[name].value() == path:
                shown = format_size(size)
                field = self.fields[name]
                assert isinstance(field, TextField)  # noqa: S101 - as above
                field.origin = f"From the node · {shown}" if shown else "From the node"


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
