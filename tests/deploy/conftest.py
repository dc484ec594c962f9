"""Where a container engine is named (`COMPOSE`), its tests are collected too; `make compose-test` names one."""

import os

collect_ignore = [] if os.environ.get("COMPOSE") else ["test_running.py"]
