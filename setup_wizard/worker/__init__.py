"""What moves attempts: the Celery tasks, the supervisor that enqueues them, and the watchdog of the worker."""
