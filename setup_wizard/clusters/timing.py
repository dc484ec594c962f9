"""Durations of runs."""

from datetime import timedelta

LEASE = timedelta(seconds=30)
"""How long a worker may take for one decision."""
WATCH_EVERY = timedelta(seconds=0.5)
"""Between two looks at an attempt that moves."""
WAIT_EVERY = timedelta(seconds=2)
"""Between two looks at an attempt that waits for an operator."""
IDLE_EVERY = timedelta(hours=1)
"""Between two looks at a run that only an operator can move."""
FIT_EVERY = timedelta(seconds=2)
"""Between two questions whether the cluster is fit."""
FIT_WITHIN = timedelta(minutes=2)
"""How long a cluster has to become fit after a node came in."""
CHECK_SECONDS = 5.0
"""For one question to the cluster."""
PAUSED_CREDENTIALS_LIFE = timedelta(hours=24)
RUNNING_CREDENTIALS_LIFE = timedelta(days=7)
COPY_LIFE = timedelta(minutes=15)
"""Of the copy of the credentials for one attempt, until the attempt has taken it."""
ENQUEUE_AGAIN = timedelta(seconds=5)
"""After a lost message."""
