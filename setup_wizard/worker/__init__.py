"""Move attempts forward: the Celery tasks, the supervisor that enqueues them, and the watchdog of the worker."""
