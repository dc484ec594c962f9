"""The deployment: settings, URLs, the Celery application, the ASGI application and the demo."""

# every process that loads the settings must send and receive tasks through this application
from setup_wizard.project.celery import app as celery_app

__all__ = ["celery_app"]
