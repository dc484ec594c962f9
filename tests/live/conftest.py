"""The fixtures of attempts, for the tests of their pages."""

from tests.attempts.conftest import fresh_node, maria, serve_echo, start  # noqa: F401
