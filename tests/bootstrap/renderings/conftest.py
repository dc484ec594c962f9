"""Reference nodes for scripts and playbooks."""

import pytest

from tests.reference_node.running import start_node


@pytest.fixture
def start(tmp_path):
    """Start reference nodes."""
    started = []

    def start_one(name, **options):
        started.append(start_node(tmp_path / name, pace=0.02, **options))
        return started[-1]

    yield start_one
    for node in started:
        node.kill()
