"""What talking to a node may cost: seconds of wall clock and bytes.

Reference: docs/failure-modes.md, N7.
"""

from typing import Final

DNS_SECONDS: Final = 5.0
GET_SECONDS: Final = 5.0
"""From connecting to the last byte of the answer to a GET."""
POST_SECONDS: Final = 8.0
"""From the first byte of the POST to the last byte of its answer."""
VALIDATE_SECONDS: Final = 5.0
"""From the first byte of a request for a check to the last byte of its answer."""
UNHEARD_SECONDS: Final = 10.0
"""How long the system goes on sending what the other end does not acknowledge, also for a process that stands still."""
CONNECT_SECONDS: Final = 2.0
TLS_SECONDS: Final = 3.0

HEAD_BYTES: Final = 16 * 1024
"""Status lines and headers of one answer, interim answers included."""
GET_BODY_BYTES: Final = 256 * 1024
POST_BODY_BYTES: Final = 64 * 1024
DETAIL_CHARACTERS: Final = 300
"""How much of a node's own words an error keeps."""
