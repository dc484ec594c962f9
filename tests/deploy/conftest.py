"""Collect the tests of the containers only when `COMPOSE` names an engine, as `make compose-test` does."""

import os

collect_ignore = [] if os.environ.get("COMPOSE") else ["test_running.py"]
