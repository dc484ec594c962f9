"""The Django app that moves attempts."""

from datetime import timedelta

from django.apps import AppConfig


class WorkerConfig(AppConfig):
    """The Celery tasks, the supervisor and its periodic work."""

    name = "setup_wizard.worker"
    verbose_name = "Worker"

    def ready(self) -> None:
        """Register the periodic work of the apps below this one."""
        from setup_wizard.access import password_limits  # noqa: PLC0415 - models must be loaded first
        from setup_wizard.attempts import sign_ins  # noqa: PLC0415 - as above
        from setup_wizard.attempts.preflight import stored_runs  # noqa: PLC0415 - as above
        from setup_wizard.worker.periodic import periodic  # noqa: PLC0415 - as above

        periodic.add(sign_ins.purge)
        periodic.add(stored_runs.purge)
        periodic.add(password_limits.delete_old, every=timedelta(minutes=15))
