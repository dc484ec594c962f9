"""A guided, browser-based setup for Redis Enterprise clusters.

Each package imports only packages below it:

    project/         settings, URLs, Celery, ASGI, the demo (an app of its own)
    api/             Django app: the JSON API
    clusters/        Django app: plans of whole clusters, their runs, the page of a cluster
    notifications/   Django app: webhooks, e-mail, notifications in the browser
    wizard/          Django app: drafts, step forms, review
    history/         Django app: the list of attempts, and their review in the admin site
    live/            Django app: the page of one attempt, and the event stream
    worker/          Django app: the Celery tasks, the schedule, `supervise`, the watchdog
    monitoring/      Django app: health, metrics, heartbeats
    attempts/        Django app: attempts and events, the engine (the only writer), preflight, explanations
    nodes/           Django app: connections to nodes: address guard, pinned TLS, client, probe, trusted certificates
    access/          Django app: sign-in, roles, API tokens, audit log
    bootstrap/       plain Python: the bootstrap API as types, its field rules and its error catalogue
    failpoints.py    points at which tests kill a process

    reference_node/  plain Python, imports none of the above: a node for the demo and for tests
"""

from typing import Final

__version__: Final = "0.1.0"
