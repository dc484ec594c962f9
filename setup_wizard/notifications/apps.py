"""The Django app of webhooks, e-mail and notifications in the browser."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Reads events into an outbox, and delivers them."""

    name = "setup_wizard.notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        """Register the events of attempts, the work of the supervisor, metrics, and what a rotation of keys covers."""
        from setup_wizard.notifications import attempt_events, metrics, news, outbox, schedule, secrets  # noqa: PLC0415 - models first
        from setup_wizard.worker.periodic import periodic  # noqa: PLC0415 - as above

        attempt_events.register()
        schedule.register()
        secrets.register()
        news.register()
        metrics.register()
        periodic.add(outbox.delete_old)
