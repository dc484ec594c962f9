"""Durations of runs."""

from datetime import timedelta

LEASE = timedelta(seconds=30)
"""How long a worker may take for one decision."""
LONGEST_LEASE = LEASE + timedelta(seconds=5)
"""A lease that ends later was taken before the clock was set back."""
WATCH_EVERY = timedelta(seconds=5)
"""Between two looks at an attempt. Its end is reported; this is for a report that was lost with its process."""
IDLE_EVERY = timedelta(minutes=1)
"""Between two looks at a run that only an operator can move."""
LONGEST_DELAY = IDLE_EVERY + timedelta(seconds=5)
"""A look that is planned further ahead was planned before the clock was set back."""
FIT_EVERY = timedelta(seconds=2)
"""Between two questions whether the cluster is fit."""
FIT_WITHIN = timedelta(minutes=2)
"""How long a cluster has to become fit after a node came in, and how long it may be busy before the next one."""
BUSY_EVERY = timedelta(seconds=5)
"""Between two questions whether the cluster is still busy; each time, every check of the next node runs."""
CHECK_SECONDS = 5.0
"""For one question to one member of the cluster."""
MEMBERS_SECONDS = 12.0
"""For finding a member that answers: after this time no other is asked. With the last one it stays within the lease."""
PAUSED_CREDENTIALS_LIFE = timedelta(hours=24)
RUNNING_CREDENTIALS_LIFE = timedelta(days=7)
ENQUEUE_AGAIN = timedelta(seconds=5)
"""After a lost message."""
