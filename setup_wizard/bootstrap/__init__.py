"""The bootstrap API of a Redis Enterprise node as types, in plain Python.

    actions.py        the actions of a node: create, join, recover
    secret.py         a password or key that is never shown
    request/          what is sent: frozen models, `payload()`, `redacted()`, and the parser, which reports every error
    status/           what comes back: the state, the error and the facts of a node, parsed with tolerance
    rules/            the rules for each field, and warnings about allowed values
    renderings/       the request as text for scripts
    error_catalogue/  what an error code means for this node, what to check, and which field to change
    sizes.py          bytes and seconds in words
    text.py           text from nodes, made safe to store and show

Nothing here uses Django, HTTP, a clock or the network.
"""
