"""Calls of a node that several tests make."""

from tests.reference_node.conftest import MARIA, wait_for


def info(node):
    answer = node.get()
    return (node.get(auth=MARIA) if answer.status_code == 401 else answer).json()["local_node_info"]


def addresses(node):
    """The addresses, by whichever of its two names the node gives them."""
    known = info(node)
    return known["available_addresses"] if "available_addresses" in known else known["available_addrs"]


def create(node, /, **changes):
    """Create a cluster and give the last status."""
    assert node.create(**changes).status_code == 200
    return node.wait_until("completed", "error")


def create_with(node, **identity):
    return create(node, node={"identity": identity})


def create_in(node, **paths):
    return create(node, node={"paths": {name: str(path) for name, path in paths.items()}, "identity": {}})


def refused(node, /, **changes):
    """What a create with these changes is refused for; it must not change anything."""
    before = node.status()
    answer = node.create(**changes)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "config_error")
    assert node.status() == before
    return answer.json()["description"]


def own_entry(node):
    uid = int(info(node)["uid"])
    return next(entry for entry in node.get("/v1/nodes", auth=MARIA).json() if entry["uid"] == uid)


def wait_signed_in(node, auth):
    """Follow a bootstrap with these credentials, from whenever they are asked for."""

    def ended():
        try:
            status = node.get(auth=auth).json()["bootstrap_status"]
        except OSError:  # the certificate is being replaced
            return None
        return status if status["state"] in {"completed", "error"} else None

    return wait_for(ended)
