"""Fixtures shared with the tests of attempts."""

from tests.attempts.conftest import fresh_node, maria, serve_echo, start  # noqa: F401
