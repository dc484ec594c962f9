"""What the demo adds to every page."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from setup_wizard.project.demo import node_reset
from setup_wizard.project.demo.directory import REPOSITORY, Directory


def demo(request: HttpRequest) -> dict[str, Any]:
    """Add the form that resets the nodes below the list of available nodes, and where their fingerprints are."""
    del request
    added: dict[str, Any] = {"below_nodes": "demo/_reset_nodes.html", "can_reset_nodes": node_reset.is_offered}
    if node_reset.is_possible():
        file = Directory(Path(settings.SETUP_WIZARD_DEMO_DIRECTORY)).fingerprints
        added |= {"instead_of_ssh": "demo/_fingerprints.html", "fingerprints_file": os.path.relpath(file, REPOSITORY)}
    return added
