"""The second step: storage, addresses and rack of the node, and what else the node can be told."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from setup_wizard.attempts.cluster_members import attempts_of_members, known_racks
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.error_catalogue import join_words
from setup_wizard.bootstrap.request.availability import is_current
from setup_wizard.bootstrap.request.fields import Count, HighPort, Retries, Uid, read_number
from setup_wizard.bootstrap.rules import RuleError, check_address, check_path, check_rack_id, check_text
from setup_wizard.bootstrap.sizes import format_size
from setup_wizard.bootstrap.status import NodeAddress, NodeFacts
from setup_wizard.live import part_of
from setup_wizard.nodes import trust
from setup_wizard.wizard.address_fields import AddressesField, describe_address, is_reachable, rank_addresses
from setup_wizard.wizard.fields import CheckboxField, NumberField, RadioField, RadioOption, SelectField, TextField
from setup_wizard.wizard.forms.fieldset_form import Fieldset
from setup_wizard.wizard.forms.step import StepForm

OTHER = "other"
PERSISTENT = "/var/opt/redislabs/persist"
EPHEMERAL = "/var/opt/redislabs/tmp"
RECOVERED_UID = "If empty, this node replaces the old node with the lowest ID. Replace the others later, one by one."
_CREATE_ONLY = frozenset({"rack_aware", "use_internal_ipv6"})
_REPLACEMENT = frozenset({"uid", "override_rack_id"})


def check_uid(text: str) -> int:
    """Return the ID of a node.

    Raises:
        RuleError: not a whole number above 0.
    """
    try:
        return read_number(Uid, text)
    except RuleError:
        message = "A node ID is a whole number, such as 2. The cluster's list of nodes shows it."
    raise RuleError(message)


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
        Fieldset("Rack", ("rack_aware", "rack_id")),
        Fieldset("Replace a failed node", ("uid", "override_rack_id"), advanced=True),
        Fieldset("External addresses", ("external_addr",), advanced=True),
        Fieldset(
            "Flash and configuration storage",
            ("bigstore_enabled", "bigstore_driver", "bigstore_path", "ccs_persistent_path"),
            advanced=True,
        ),
        Fieldset("Shards and limits", ("accept_servers", "max_redis_servers", "max_listeners"), advanced=True),
        Fieldset("Node identity", ("name", "second_rack_id", "use_internal_ipv6"), advanced=True),
        Fieldset(
            "Ports and retries",
            (
                "crdb_coordinator_port",
                "envoy_admin_port",
                "envoy_mgmt_server_port",
                "gossip_envoy_admin_port",
                "max_retries",
                "retry_time",
            ),
            advanced=True,
        ),
    )
    paths: ClassVar[Mapping[str, str]] = {
        "persistent_path": "node.paths.persistent_path",
        "ephemeral_path": "node.paths.ephemeral_path",
        "addr": "node.identity.addr",
        "rack_aware": "policy.rack_aware",
        "rack_id": "node.identity.rack_id",
        "uid": "node.identity.uid",
        "override_rack_id": "node.identity.override_rack_id",
        "external_addr": "node.identity.external_addr",
        "bigstore_enabled": "node.bigstore_enabled",
        "bigstore_driver": "node.bigstore_driver",
        "bigstore_path": "node.paths.bigstore_path",
        "accept_servers": "node.identity.accept_servers",
        "max_redis_servers": "node.limits.max_redis_servers",
        "max_listeners": "node.limits.max_listeners",
        "name": "node.identity.name",
        "second_rack_id": "node.identity.second_rack_id",
        "use_internal_ipv6": "node.identity.use_internal_ipv6",
        "ccs_persistent_path": "node.paths.ccs_persistent_path",
        "crdb_coordinator_port": "crdb_coordinator_port",
        "envoy_admin_port": "envoy_admin_port",
        "envoy_mgmt_server_port": "envoy_mgmt_server_port",
        "gossip_envoy_admin_port": "gossip_envoy_admin_port",
        "max_retries": "max_retries",
        "retry_time": "retry_time",
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
    rack_aware = CheckboxField(
        label="Rack-aware cluster",
        help_text="Keeps the copies of the data in different racks. It can be turned on later, but never off.",
    )
    rack_id = TextField(
        label="Rack ID",
        help_text="Only for a rack-aware cluster: the rack or zone of this node, such as `rack-a`. "
        "It cannot be changed later. Each of three nodes needs its own rack.",
        rule=check_rack_id,
        required=False,
    )
    uid = TextField(
        label="ID of the failed node",
        help_text="Only if this node replaces a lost node of the cluster, such as 2.",
        rule=check_uid,
        required=False,
    )
    override_rack_id = CheckboxField(
        label="Use this node's own rack ID",
        help_text="The rack ID from above applies. Otherwise the node takes over the rack of the failed node.",
    )
    external_addr = AddressesField(
        label="External addresses",
        help_text="Addresses that applications use, if they differ from the internal one.",
        rule=check_address,
        required=False,
    )
    bigstore_enabled = CheckboxField(
        label="Use flash storage",
        help_text="Databases can extend their memory with flash drives. It cannot be turned on later.",
    )
    bigstore_driver = SelectField(
        {"": "No flash storage", "rocksdb": "RocksDB", "speedb": "Speedb"},
        label="Flash engine",
        help_text="Choose an engine to turn flash storage on. It cannot be turned on later.",
    )
    bigstore_path = TextField(
        label="Flash path",
        help_text="Where the flash drives are mounted. Default: `/var/opt/redislabs/flash`.",
        rule=check_path,
        required=False,
    )
    accept_servers = CheckboxField(
        label="Takes no shards",
        help_text="No database is placed on this node, for example because it is there for the quorum only.",
        sends=False,
    )
    max_redis_servers = NumberField(
        Count, label="Shard limit", help_text="How many shards this node may run. Default: 100."
    )
    max_listeners = NumberField(
        Count, label="Endpoint limit", help_text="How many database endpoints this node may serve. Default: 100."
    )
    name = TextField(label="Node name", help_text="A name of your own for this node.", rule=check_text, required=False)
    second_rack_id = TextField(
        label="Second rack ID",
        help_text="A second location of this node beside its rack, such as `room-1`.",
        rule=check_rack_id,
        required=False,
    )
    use_internal_ipv6 = CheckboxField(
        label="Use IPv6 inside the cluster",
        help_text="The nodes reach each other over IPv6. It cannot be changed later.",
    )
    ccs_persistent_path = TextField(
        label="Configuration path",
        help_text="Where the node keeps the cluster's configuration. Default: in the persistent storage.",
        rule=check_path,
        required=False,
    )
    crdb_coordinator_port = NumberField(
        HighPort, label="Active-Active coordinator port", help_text="Change it if it is in use. Default: 9081."
    )
    envoy_admin_port = NumberField(
        HighPort, label="Envoy admin port", help_text="Change it if the port that the node chooses is in use."
    )
    envoy_mgmt_server_port = NumberField(
        HighPort, label="Envoy management port", help_text="Change it if the port that the node chooses is in use."
    )
    gossip_envoy_admin_port = NumberField(
        HighPort, label="Envoy gossip port", help_text="Change it if the port that the node chooses is in use."
    )
    max_retries = NumberField(
        Retries, label="Retries", help_text="How many times the node repeats a step after an error that may pass."
    )
    retry_time = NumberField(Count, label="Longest wait between retries", help_text="In seconds, such as 20.")
    field_order = ["persistent_path", "ephemeral_path", "addr", "other_addr", "rack_aware", "rack_id"]

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        if self.draft.chosen_action is Action.RECOVER:
            self.fields["uid"].label = "ID of the old node to replace"
            self.fields["uid"].help_text = RECOVERED_UID
        self._remove_unknown_fields()
        self._name_known_racks()
        self._set_address_options()
        self._mark_reported_paths()

    @classmethod
    def paths_for(cls, action: Action) -> Mapping[str, str]:
        """Leave out what the action does not have."""
        missing = _REPLACEMENT if action is Action.CREATE else _CREATE_ONLY
        if action is Action.RECOVER:
            missing |= {"accept_servers"}
        return {name: path for name, path in cls.paths.items() if name not in missing}

    @property
    def facts(self) -> NodeFacts:
        """What the node reports about itself."""
        node = self.draft.node
        return node.answer.node if node and node.answer else NodeFacts()

    @property
    def ranked_addresses(self) -> list[NodeAddress]:
        """The node's addresses, the likeliest internal one first."""
        return rank_addresses(self.facts.addresses, self.draft.node.endpoint.ip if self.draft.node else "")

    def suggest(self) -> dict[str, Any]:
        """Suggest the node's own paths and its likeliest address."""
        likely = self.ranked_addresses
        return {
            "persistent_path": self.facts.persistent_storage_path or PERSISTENT,
            "ephemeral_path": self.facts.ephemeral_storage_path or EPHEMERAL,
            "addr": likely[0].address if likely else "",
        }

    def clean_other_addr(self) -> str:
        """Use the typed address if “Other…” is chosen."""
        other = str(self.cleaned_data.get("other_addr", ""))
        if self.cleaned_data.get("addr") == OTHER:
            if not other:
                raise forms.ValidationError("Enter the internal address.")
            self.cleaned_data["addr"] = other
        return other

    def clean_step(self) -> None:
        """Check racks and flash, which take two fields each."""
        self.clean_request()
        is_on = self.cleaned_data.get("bigstore_enabled") or self.cleaned_data.get("bigstore_driver")
        if self.cleaned_data.get("bigstore_path") and not is_on:
            switch = "bigstore_enabled" if "bigstore_enabled" in self.fields else "bigstore_driver"
            self.add_error(switch, "You entered a flash path. Turn flash storage on, or clear the path.")

    def _remove_unknown_fields(self) -> None:
        """Leave out what the action or the node's version does not have, except for a value that is already there."""
        paths, version = self.paths_for(self.draft.chosen_action), self.facts.software_version
        for name, path in self.paths.items():
            if name not in paths or not (is_current(path, version) or self.shown.get(name)):
                del self.fields[name]
        if drivers := self.facts.supported_bigstore_drivers:
            self._offer_drivers(drivers)

    def _name_known_racks(self) -> None:
        """Say what is known here of the racks of the cluster to join; Review asks the cluster itself."""
        member, field = self.draft.member, self.fields["rack_id"]
        name = trust.cluster_of(member.certificate.fingerprint) if member else ""
        if not name or not isinstance(field, TextField):
            return
        known = known_racks(name)
        if not known.was_requested:
            return
        newest = attempts_of_members().filter(cluster_name__iexact=name).first()
        is_aware = known.is_aware or bool(newest and part_of.find(newest).is_rack_aware)  # or turned on since
        why = f"{name} is rack-aware, so"
        if not is_aware:
            why = f"Rack awareness was requested for {name}, but the cluster did not confirm it. Once it is on,"
        used = f" Used so far: {join_words(f'`{rack}`' for rack in known.racks)}." if known.racks else ""
        field.help_text = (
            f"{why} each node needs a rack ID: its rack or zone, best a new one.{used} "
            "The rack ID cannot be changed later."
        )
        field.conditional = True  # not "optional"

    def _offer_drivers(self, drivers: tuple[str, ...]) -> None:
        if isinstance(field := self.fields.get("bigstore_driver"), SelectField):
            for driver in drivers:
                field.allow(driver)

    def _set_address_options(self) -> None:
        field, external = self.fields["addr"], self.fields["external_addr"]
        assert isinstance(field, RadioField)  # noqa: S101 - tells the type checker what the class body says
        assert isinstance(external, AddressesField)  # noqa: S101 - as above
        known = [address.address for address in self.facts.addresses]
        field.is_code = True
        field.set_options([*map(describe_address, self.ranked_addresses), RadioOption(OTHER, "Other…")])
        external.options = [describe_address(each) for each in self.ranked_addresses if is_reachable(each)]
        if not external.options:
            external.help_text += " One per line."
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
            "bigstore_path": (facts.bigredis_storage_path, facts.bigredis_storage_size),
        }
        for name, (path, size) in reported.items():
            if path and self[name].value() == path:
                shown = format_size(size)
                field = self.fields[name]
                assert isinstance(field, TextField)  # noqa: S101 - as above
                field.origin = f"From the node · {shown}" if shown else "From the node"
