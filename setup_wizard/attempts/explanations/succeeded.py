"""What is left to do after a success: the attempt succeeded, but the cluster is not all that was asked for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from setup_wizard.attempts.models import Attempt, Event
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.renderings import render_rack_awareness
from setup_wizard.bootstrap.status import NodeFacts

MODULE_FAILED = "module_download_failed"
RACK_AWARENESS = "rack_awareness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What is left, as plain text with commands between backticks; `script` is to be copied and run.

    `name` is for programs, `said` quotes the node.
    """

    name: str
    title: str
    meaning: str
    said: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    script: str = ""

    @property
    def is_long(self) -> bool:
        """Whether the script has more than one line."""
        return "\n" in self.script


def remarks(attempt: Attempt, events: Iterable[Event]) -> tuple[Remark, ...]:
    """Say what is left to do; nothing unless the attempt succeeded. `events` are in their order."""
    if attempt.status is not State.SUCCEEDED:
        return ()
    found = list(events)
    return (*_rack_awareness(attempt, found), *_warnings(attempt, found), *_quorum_only(attempt))


def _rack_awareness(attempt: Attempt, events: list[Event]) -> Iterator[Remark]:
    said = next((event.data for event in reversed(events) if event.kind == RACK_AWARENESS), None)
    if said is None or said.get("rack_aware") is True:
        return
    version = NodeFacts.from_json(attempt.facts).software_version
    runs = f"{attempt.address} runs {version}. " if version else ""
    if said.get("rack_aware") is False:
        title, answer = "The cluster is not rack-aware", "reports `rack_aware: false`"
    else:
        title, answer = "Check the rack awareness", "does not say whether it is rack-aware"
    identity = (attempt.request.get("node") or {}).get("identity") or {}
    own = f" This node has {rack}." if (rack := identity.get("rack_id")) else ""
    yield Remark(
        name=RACK_AWARENESS,
        title=title,
        meaning=f"You asked for a rack-aware cluster. {attempt.cluster_name} was created, but {answer}. {runs}From 8.0 "
        "on, the software may ignore this choice during setup.",
        steps=(
            f"Make sure that every node of the cluster has a rack ID.{own}",
            "Run the script below on a machine with Bash, cURL and OpenSSL. It asks for the credentials.",
            "Rack awareness cannot be turned off again.",
        ),
        script=render_rack_awareness(
            attempt.cluster_name,
            address=attempt.address,
            fingerprint=attempt.current_fingerprint,
            username=attempt.username,
        ),
    )


def _warnings(attempt: Attempt, events: list[Event]) -> Iterator[Remark]:
    warnings = [event.data for event in events if event.kind == "bootstrap_warning"]
    texts = [str(each.get("message") or each.get("warning_type")) for each in warnings]
    names = [str(each["module"]) for each in warnings if each.get("module")]
    if not warnings:
        return
    if not all(each.get("warning_type") == MODULE_FAILED for each in warnings):
        yield Remark(
            name="bootstrap_warnings",
            title="The node reported warnings",
            meaning=f"The bootstrap of {attempt.address} succeeded, but the node could not do everything.",
            said=tuple(texts),
            steps=("On the node, look at the logs in `/var/opt/redislabs/log`.",),
        )
        return
    which = "Some modules were" if len(warnings) > 1 else f"The module {names[0]} was" if names else "A module was"
    yield Remark(
        name="bootstrap_warnings",
        title=f"{which} not installed",
        meaning=f"{attempt.address} finished without {'them' if len(warnings) > 1 else 'it'}. All nodes of a cluster "
        "need the same modules.",
        said=tuple(texts),
        steps=(
            "On the node, check that it reaches the URL, and that the file is a valid module package.",
            "Add the module to the cluster with `POST /v2/modules/user-defined`.",
            "Upload its file to this node with `POST /v2/local/modules/user-defined/artifacts`.",
        ),
    )


def _quorum_only(attempt: Attempt) -> Iterator[Remark]:
    identity = (attempt.request.get("node") or {}).get("identity") or {}
    if identity.get("accept_servers") is not False:
        return
    node, known = (attempt.node_uid, "") if attempt.node_uid else ("ID", " `rladmin status` shows the ID of the node.")
    yield Remark(
        name="quorum_only",
        title="This node takes no shards",
        meaning=f"{attempt.address} was set up with `accept_servers: false`. Make it a quorum-only node, "
        "so that it never takes any.",
        steps=(f"Run this on a node of the cluster.{known}",),
        script=f"rladmin tune node {node} quorum_only enabled",
    )
