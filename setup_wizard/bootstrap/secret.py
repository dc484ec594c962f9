"""A password or key that is never shown."""

import hmac
import re
from typing import Final, Never

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

MASK: Final = "********"
_NAMES_SECRET = re.compile(r"pass(?!ive)|secret|token|credential|(?<!mon)key|auth(?!or)|licen[sc]e$", re.IGNORECASE)


def names_secret(key: str) -> bool:
    """Tell whether a key is named like a secret; in doubt it is."""
    return bool(_NAMES_SECRET.search(key))


class Secret:
    """Hold a password or a key that printing, formatting, logging and pickling do not show.

    Equal by value, in constant time; unhashable, so that it cannot become a key of a cache; false when empty. Only
    `reveal()` gives the text. A field of a model reads it from text and dumps it as asterisks.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Give the text, for the request to the node and for the stored credentials only."""
        return self.__text

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, specification: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_encode(self.__text), _encode(other.reveal()))

    __hash__ = None  # type: ignore[assignment]  # the documented way to be unhashable

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError("a Secret cannot be pickled or copied: pass it on as it is")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object, read_text: core_schema.ValidatorFunctionWrapHandler) -> "Secret":
            return value if isinstance(value, Secret) else cls(read_text(value))

        return core_schema.no_info_wrap_validator_function(
            read,
            core_schema.str_schema(strict=True),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda secret: MASK if secret else ""),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {"type": "string", "format": "password", "writeOnly": True}


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
