"""Drop messages from the queue that a worker cannot read, so that none of them can end it.

Celery ends a worker at a message that its transport cannot read, and a message that is out of the queue already ends
the next worker too. Dropping a message costs nothing: the supervisor sends another for what is due.

Reference: docs/failure-modes.md, W17.
"""

import base64
import binascii
import logging
from datetime import datetime
from typing import Any, Final, Literal

from kombu.transport import TRANSPORT_ALIASES, redis
from pydantic import BaseModel, TypeAdapter, ValidationError, field_validator

log = logging.getLogger(__name__)

UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class Headers(BaseModel):
    """What a message says of its task."""

    task: str
    id: str
    retries: int = 0
    eta: datetime | None = None
    expires: datetime | None = None
    timelimit: tuple[float | None, float | None] | None = None


class Delivery(BaseModel):
    """Where a message came from."""

    exchange: str
    routing_key: str


class Properties(BaseModel):
    """How a message is packed."""

    delivery_tag: str
    delivery_info: Delivery
    body_encoding: Literal["base64"]


class Envelope(BaseModel, alias_generator=lambda name: name.replace("_", "-")):
    """A message as it lies in the queue: version 2 of Celery's protocol, in JSON."""

    content_type: Literal["application/json"]
    content_encoding: Literal["utf-8"]
    headers: Headers
    properties: Properties
    body: str

    @field_validator("body")
    @classmethod
    def _body_has_three_parts(cls, body: str) -> str:
        """Check that there are arguments, named arguments, and what Celery adds to them."""
        try:
            text = base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise ValueError("no base64") from error
        TypeAdapter(tuple[list[Any], dict[str, Any], dict[str, None]]).validate_json(text)
        return body


class QoS(redis.QoS):
    """What has been taken and is not done yet."""

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's signature
        """Put a message back that another worker took and did not finish; drop an unreadable one."""
        try:
            super().restore_by_tag(tag, client, leftmost)
        except UNREADABLE as error:
            self._remove_from_indices(tag).execute()
            _drop(error)


class Channel(redis.Channel):
    """The connection of a worker to its queue."""

    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, RecursionError) as error:  # no JSON
            _drop(error)
            return True


class Transport(redis.Transport):
    """Redis as Celery knows it, with every message checked before anything acts on it."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        try:
            Envelope.model_validate(message)
        except ValidationError as error:
            _drop(error)
        else:
            super()._deliver(message, queue)


def install() -> None:
    """Have every connection to a Redis server checked so."""
    for name in ("redis", "rediss"):
        TRANSPORT_ALIASES[name] = f"{__name__}:Transport"


def _drop(error: BaseException) -> None:
    # the error may quote the message, which anybody may have sent
    log.error("a malformed message in the queue was dropped", extra={"fields": {"error": type(error).__name__}})
