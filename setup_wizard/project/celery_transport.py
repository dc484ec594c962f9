"""Drop messages from the queue that a worker cannot read, so that none of them can end it.

Celery ends a worker at a message that its transport cannot read, and a message that is out of the queue already ends
the next worker too. Dropping a message costs nothing: the supervisor sends another for what is due.
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
    """The headers of a task."""

    task: str
    id: str
    retries: int = 0
    eta: datetime | None = None
    expires: datetime | None = None
    timelimit: tuple[float | None, float | None] | None = None


class Delivery(BaseModel):
    """The source of a message."""

    exchange: str
    routing_key: str


class Properties(BaseModel):
    """The encoding of a message."""

    delivery_tag: str
    delivery_info: Delivery
    body_encoding: Literal["base64"]


class Envelope(BaseModel, alias_generator=lambda name: name.replace("_", "-")):
    """A message in the queue: version 2 of Celery's protocol, in JSON."""

    content_type: Literal["application/json"]
    content_encoding: Literal["utf-8"]
    headers: Headers
    properties: Properties
    body: str

    @field_validator("body")
    @classmethod
    def _body_has_three_parts(cls, body: str) -> str:
        """Check for arguments, keyword arguments and Celery's options."""
        try:
            text = base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise ValueError("no base64") from error
        TypeAdapter(tuple[list[Any], dict[str, Any], dict[str, None]]).validate_json(text)
        return body


class QoS(redis.QoS):
    """Messages that a worker took and has not finished."""

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's signature
        """Return an unfinished message of another worker to the queue; drop an unreadable one."""
        try:
            super().restore_by_tag(tag, client, leftmost)
        except UNREADABLE as error:
            self._remove_from_indices(tag).execute()
            _drop(error)


class Channel(redis.Channel):
    """A worker's connection to its queue."""

    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, RecursionError) as error:  # no JSON
            _drop(error)
            return True


class Transport(redis.Transport):
    """Celery's Redis transport, with a check of every message."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        try:
            Envelope.model_validate(message)
        except ValidationError as error:
            _drop(error)
        else:
            super()._deliver(message, queue)


def install() -> None:
    """Use this transport for every connection to a Redis server."""
    for name in ("redis", "rediss"):
        TRANSPORT_ALIASES[name] = f"{__name__}:Transport"


def _drop(error: BaseException) -> None:
    # not the error's text: it can quote the message
    log.error("a malformed message in the queue was dropped", extra={"fields": {"error": type(error).__name__}})
