"""The error codes that a node documents."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a bootstrap failed, in the node's words.

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
