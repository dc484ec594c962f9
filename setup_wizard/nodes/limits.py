"""Timeouts and sizes for requests to nodes."""

from typing import Final

DNS_SECONDS: Final = 5.0
GET_SECONDS: Final = 5.0
"""From connecting to the last byte of the answer to a GET."""
PROBE_SECONDS: Final = 10.0
"""For a probe: the DNS lookup and two connections."""
POST_SECONDS: Final = 8.0
"""From the first byte of the POST to the last byte of its answer."""
VALIDATE_SECONDS: Final = 5.0
"""From the first byte of a request for a check to the last byte of its answer."""
UNACKNOWLEDGED_SECONDS: Final = 10.0
"""How long the system keeps retransmitting unacknowledged data, even while the process is suspended."""
CONNECT_SECONDS: Final = 2.0
TLS_SECONDS: Final = 3.0

HEAD_BYTES: Final = 16 * 1024
"""Status line and headers of one answer, including interim (1xx) answers."""
GET_BODY_BYTES: Final = 256 * 1024
POST_BODY_BYTES: Final = 64 * 1024
DETAIL_CHARACTERS: Final = 300
"""How much of a node's message is shown."""
