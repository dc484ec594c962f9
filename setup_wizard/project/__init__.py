"""How it is deployed: settings, routes, the Celery application, the ASGI entry point and the demo."""

# every process that loads the settings rings, or answers, through this application and no other
from setup_wizard.project.celery import app as celery_app

__all__ = ["celery_app"]
