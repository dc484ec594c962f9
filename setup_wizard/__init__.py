"""A guided, browser-based setup for Redis Enterprise clusters.

The rooms, in the order a setup runs; each may import only those below it:

    project/         settings, urls, celery, asgi, the demo (an app of its own)
    wizard/          Django app: drafts, step forms, review
    attempts/        Django app: attempts and their events: engine (the only writer), pages, stream, admin, API
    nodes/           Django app: how we reach a node: address guard, pinned TLS, client, probe, trusted certificates
    access/          Django app: who may sign in, and what they may do
    bootstrap/       plain Python: the API as types, its field rules and its error catalogue

    failpoints.py    points at which tests kill a process; below all of them

    reference_node/  plain Python, imports nothing of ours: a node to practise on
"""
