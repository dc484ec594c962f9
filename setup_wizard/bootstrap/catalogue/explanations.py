"""From an error code to its explanation."""

from collections.abc import Callable, Mapping
from typing import Final

from setup_wizard.bootstrap.catalogue import cluster, machine, paths, racks, setup
from setup_wizard.bootstrap.catalogue.codes import ErrorCode
from setup_wizard.bootstrap.catalogue.shapes import Explanation, Remedy
from setup_wizard.bootstrap.catalogue.situations import Situation, read_situation
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.bootstrap.text import clean

__all__ = ["EXPLAINED", "Explanation", "Remedy", "explain"]

EXPLAINED: Final[Mapping[ErrorCode, Callable[[Situation], Explanation]]] = {
    ErrorCode.CONFIG_ERROR: setup.explain_config_error,
    ErrorCode.CONNECT_ERROR: cluster.explain_connect_error,
    ErrorCode.ACCESS_DENIED: cluster.explain_access_denied,
    ErrorCode.INVALID_LICENSE: setup.explain_invalid_license,
    ErrorCode.REPAIR_REQUIRED: racks.explain_repair_required,
    ErrorCode.INSUFFICIENT_NODE_MEMORY: machine.explain_insufficient_node_memory,
    ErrorCode.INSUFFICIENT_NODE_FLASH: machine.explain_insufficient_node_flash,
    ErrorCode.TIME_NOT_SYNC: cluster.explain_time_not_sync,
    ErrorCode.RACK_ID_REQUIRED: racks.explain_rack_id_required,
    ErrorCode.SOCKET_DIRECTORY_MISMATCH: machine.explain_socket_directory_mismatch,
    ErrorCode.NODE_CONFIG_MISMATCH: machine.explain_node_config_mismatch,
    ErrorCode.PATH_ERROR: paths.explain_path_error,
    ErrorCode.INTERNAL_ERROR: machine.explain_internal_error,
}


def explain(
    code: str,
    details: Mapping[str, object],
    *,
    request: Mapping[str, object],
    node: str,
    facts: NodeFacts | None = None,
) -> Explanation:
    """Say what a node's error means for this node, with its own numbers; never raises, whatever the node sent.

    `details` are the node's `error_details`, `request` is the redacted payload ({} when it is not known), `node` the
    address under which the operator knows the node, `facts` what it said of itself. A code that is not documented
    gets an explanation that shows the raw word.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/bootstrap/#error-codes
    """
    situation = read_situation(details, request, node, facts)
    word = clean(code, 60) if isinstance(code, str) else ""
    if word in set(ErrorCode):
        return EXPLAINED[ErrorCode(word)](situation)
    return machine.explain_unknown(situation, word)
