"""Which store a node gets."""

import importlib

from setup_wizard.reference_node.store import Store
from setup_wizard.reference_node.store.light import Light


def open_store(bind: str, port: int, *, light: bool) -> Store:
    """Make a store that has not begun yet; `port` 0 is any that is free."""
    if light:
        return Light()
    # the client library takes long to load, and most nodes that start never become members
    store: Store = importlib.import_module("setup_wizard.reference_node.store.valkey").Valkey(bind, port)
    return store
