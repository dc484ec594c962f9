"""What the bodies of several calls have in common; openapi.json is generated from all `*schemas` modules."""

from typing import Annotated

from ninja import Schema
from pydantic import ConfigDict, Field, StringConstraints

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


class StrictSchema(Schema):
    """A request body: unknown fields and wrong types are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class ErrorOut(Schema):
    """An error."""

    error: str = Field(description="The error, for programs.")
    message: str = Field(description="The error, for people.")
    fields: dict[str, list[str]] = Field(description="What is wrong, by field path.")
