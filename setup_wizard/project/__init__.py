"""How it is deployed: settings, routes, the Celery application, the ASGI entry point and the demo."""
