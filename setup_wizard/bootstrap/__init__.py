"""The bootstrap API of a Redis Enterprise node as types: plain Python that any script can lift out.

    actions.py    what can be asked of a node: create, join, recover
    secret.py     a text that never shows itself
    request/      what is sent: frozen dataclasses, `payload()`, `redacted()`, and the parser that names every mistake
    status/       what comes back: the state, the error, what the node says of itself, all read with tolerance
    rules/        what may stand in a field, and what is allowed but deserves a warning
    catalogue/    what an error code means for this node, what to check, and the way back to the field
    sizes.py      bytes and seconds as people say them
    text.py       foreign text made fit to store and to show

Nothing here knows Django, HTTP or a clock, and nothing here asks the network.
"""
