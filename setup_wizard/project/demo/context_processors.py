"""What the demo adds to every page."""

from typing import Any

from django.http import HttpRequest

from setup_wizard.project.demo import node_reset


def demo(request: HttpRequest) -> dict[str, Any]:
    """Add the form that resets the nodes below the list of available nodes."""
    del request
    return {"below_nodes": "demo/_reset_nodes.html", "can_reset_nodes": node_reset.is_offered}
