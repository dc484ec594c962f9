"""The Django app of the page of one attempt."""

from django.apps import AppConfig


class LiveConfig(AppConfig):
    """The page of an attempt, and its live updates."""

    name = "setup_wizard.live"
    verbose_name = "Live pages"

    def ready(self) -> None:
        """Register the health check of live updates, and what pages can watch."""
        from setup_wizard.live import action_needed, topics  # noqa: PLC0415 - as below
        from setup_wizard.live.stream import process  # noqa: PLC0415 - models must be loaded first
        from setup_wizard.monitoring import health  # noqa: PLC0415 - as above

        health.register_live_updates(process.is_live)
        topics.register_own()
        action_needed.register_topic()
