"""A request that nothing can be done with."""

from django.core.exceptions import BadRequest


class MalformedRequest(BadRequest):
    """Answered with 400 and `message`, which is shown to the client: it never holds a value that was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
