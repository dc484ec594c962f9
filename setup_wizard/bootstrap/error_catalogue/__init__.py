"""What an error code means for this node, with its own numbers, and which field to change."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from setup_wizard.bootstrap.error_catalogue import cluster, hardware, licenses, paths, racks, request
from setup_wizard.bootstrap.error_catalogue.explanation import START_AGAIN, ErrorCode, Explanation, Figure, Remedy
from setup_wizard.bootstrap.error_catalogue.failure import BootstrapFailure, join_words, read_failure
from setup_wizard.bootstrap.error_catalogue.request import FIELDS
from setup_wizard.bootstrap.status import NodeFacts
from setup_wizard.bootstrap.text import clean

__all__ = [
    "EXPLAINERS",
    "FIELDS",
    "START_AGAIN",
    "ErrorCode",
    "Explanation",
    "Figure",
    "Remedy",
    "explain",
    "find_keywords",
    "join_words",
]

EXPLAINERS: Final[Mapping[ErrorCode, Callable[[BootstrapFailure], Explanation]]] = {
    ErrorCode.CONFIG_ERROR: request.explain_config_error,
    ErrorCode.CONNECT_ERROR: cluster.explain_connect_error,
    ErrorCode.ACCESS_DENIED: cluster.explain_access_denied,
    ErrorCode.INVALID_LICENSE: licenses.explain_invalid_license,
    ErrorCode.REPAIR_REQUIRED: racks.explain_repair_required,
    ErrorCode.INSUFFICIENT_NODE_MEMORY: hardware.explain_insufficient_node_memory,
    ErrorCode.INSUFFICIENT_NODE_FLASH: hardware.explain_insufficient_node_flash,
    ErrorCode.TIME_NOT_SYNC: cluster.explain_time_not_sync,
    ErrorCode.RACK_ID_REQUIRED: racks.explain_rack_id_required,
    ErrorCode.SOCKET_DIRECTORY_MISMATCH: hardware.explain_socket_directory_mismatch,
    ErrorCode.NODE_CONFIG_MISMATCH: hardware.explain_node_config_mismatch,
    ErrorCode.PATH_ERROR: paths.explain_path_error,
    ErrorCode.INTERNAL_ERROR: hardware.explain_internal_error,
}


def explain(
    code: str,
    details: Mapping[str, object],
    *,
    request: Mapping[str, object],
    node: str,
    facts: NodeFacts | None = None,
) -> Explanation:
    """Explain a node's error with its own numbers; never raises, whatever the node sent.

    `details` are the node's `error_details`, `request` is the redacted payload ({} when it is not known), `node` the
    address under which the operator knows the node, `facts` what the node reported about itself. The explanation of
    an undocumented code shows the code itself.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/bootstrap/#error-codes
    """
    failure = read_failure(details, request, node, facts)
    word = clean(code, 60) if isinstance(code, str) else ""
    if word in set(ErrorCode):
        return EXPLAINERS[ErrorCode(word)](failure)
    return hardware.explain_unknown(failure, word)


def find_keywords(message: str) -> list[str]:
    """Find the words in a node's message that select an explanation, so that masking the message keeps them.

    Words inside paths do not count.
    """
    text = re.sub(r"/\S*", "", message).lower()
    found = (re.search(pattern, text) for pattern in (*request.KEYWORDS, *paths.KEYWORDS))
    return list(dict.fromkeys(match[0] for match in found if match))
