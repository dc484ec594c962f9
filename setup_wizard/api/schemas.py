"""What the bodies of several calls have in common; openapi.json is generated from all `*schemas` modules."""

from collections.abc import Sequence
from typing import Annotated, Any

from ninja import Schema
from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema

ROOT = "/api/v1"
LARGEST_NUMBER = 2**31 - 1

NodeAddress = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300),
    Field(description="A host and, if it is not 9443, a port.", examples=["10.0.0.5:9443"]),
]
Fingerprint = Annotated[
    str,
    StringConstraints(min_length=64, max_length=130),
    Field(description="SHA-256, in hex pairs with or without colons.", examples=[":".join(["AB"] * 32)]),
]
NO_NUL = r"^[^\x00]*$"  # any request with a NUL character is a 400


class DescribedAs:
    """Describe a field as `model`, although it is read later, by a function that reports all mistakes at once."""

    def __init__(self, model: type[BaseModel], *, required: Sequence[str], example: dict[str, Any]) -> None:
        self._model, self._required, self._example = model, list(required), example

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        written = handler(self._model.__pydantic_core_schema__)
        described = handler.resolve_ref_schema(written)
        described["required"] = self._required
        described["example"] = self._example
        return written


class StrictSchema(Schema):
    """A request body: unknown fields and wrong types are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class ErrorOut(Schema):
    """An error."""

    error: str = Field(description="The error, for programs.")
    message: str = Field(description="The error, for people.")
    fields: dict[str, list[str]] = Field(description="What is wrong, by field path.")
