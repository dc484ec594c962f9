"""An error code, its explanation, and the buttons that fix it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class ErrorCode(StrEnum):
    """The error codes that a node documents.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/bootstrap/#error-codes
    """

    CONFIG_ERROR = "config_error"
    CONNECT_ERROR = "connect_error"
    ACCESS_DENIED = "access_denied"
    INVALID_LICENSE = "invalid_license"
    REPAIR_REQUIRED = "repair_required"
    INSUFFICIENT_NODE_MEMORY = "insufficient_node_memory"
    INSUFFICIENT_NODE_FLASH = "insufficient_node_flash"
    TIME_NOT_SYNC = "time_not_sync"
    RACK_ID_REQUIRED = "rack_id_required"
    SOCKET_DIRECTORY_MISMATCH = "socket_directory_mismatch"
    NODE_CONFIG_MISMATCH = "node_config_mismatch"
    PATH_ERROR = "path_error"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button that leads back to the field at `part`, or fills in `values` (by the path of their field).

    With all its values filled in, or with an empty `part`, it leads to the review: everything else is kept.
    """

    label: str
    part: str
    values: Mapping[str, object] = field(default_factory=dict)


START_AGAIN: Final = Remedy("Start again", "")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table of figures, as text to show: on this node, in the cluster, and what is needed."""

    label: str
    here: str
    cluster: str = ""
    needed: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A failure in plain words, as plain text that has to be escaped before it is shown as HTML.

    Commands and paths in `causes` and `checks` stand between backticks; a page sets them as code.

    `part` is the path of the request's field to change, such as "credentials.password"; it is empty when the request
    is right and only the machine, the network or the cluster needs a fix.
    """

    title: str
    meaning: str
    causes: tuple[str, ...]
    checks: tuple[str, ...]
    part: str = ""
    remedies: tuple[Remedy, ...] = ()
    figures: tuple[Figure, ...] = ()
