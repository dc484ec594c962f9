"""The fixtures of attempts, for the tests of what is built on them."""

from tests.attempts.conftest import fresh_node, maria, serve_echo, start  # noqa: F401
