"""The Django app of clusters, plans and runs."""

from django.apps import AppConfig


class ClustersConfig(AppConfig):
    """Plans of whole clusters, their runs, and the page of a cluster."""

    name = "setup_wizard.clusters"
    verbose_name = "Clusters"

    def ready(self) -> None:
        """Register the work of plans and runs with the supervisor."""
        from setup_wizard.clusters import (  # noqa: PLC0415 - models must be loaded first
            inventory,
            looks,
            periodic_work,
            run_notices,
            schedule,
            topics,
        )

        schedule.register()
        looks.register()
        inventory.register()
        periodic_work.register()
        topics.register()
        run_notices.register()
