"""The Django app that reaches nodes."""

from django.apps import AppConfig


class NodesConfig(AppConfig):
    """How we reach a node, and which certificates are approved."""

    name = "setup_wizard.nodes"
    label = "nodes"
    verbose_name = "Nodes"

    def ready(self) -> None:
        """Register the system checks."""
        from setup_wizard.nodes import checks  # noqa: F401, PLC0415 - importing is registering
