"""Messages for people about failed requests to a node."""

from setup_wizard.nodes.address import Address
from setup_wizard.nodes.errors import (
    TLS_ALERT,
    AddressForbidden,
    AddressInvalid,
    BootstrapInProgress,
    BootstrapRejected,
    BootstrapUnsupported,
    NodeError,
    NodeMisbehaved,
    NodeRedirected,
    NodeRefused,
    NodeUnavailable,
    NodeUnreachable,
    NodeUntrusted,
    NodeUnverified,
    NotAsked,
    TooLateToSend,
)


def explain_failure(
    error: NodeError | AddressForbidden | AddressInvalid, address: Address | str, *, is_known: bool = False
) -> str:
    """Say what happened and what to check; `address` is shown as it is given.

    `is_known` says that a node has answered there before: its port is right.
    """
    match error:
        case NodeUnreachable(phase="tls") if is_known:
            detail = f" ({error.detail})" if error.detail else ""
            return f"Cannot open a TLS connection to {address}{detail}. The node may be down or restarting."
        case AddressInvalid() | AddressForbidden():
            return error.message
        case NotAsked():
            return f"{address} was not asked: the time was used up by other checks. Check again."
        case NodeUnreachable():
            return _explain_unreachable(error, str(address))
        case NodeUntrusted():
            return (
                f"The certificate of {address} has changed and is not approved. Nothing was sent. "
                "Check the node again and compare its fingerprint."
            )
        case NodeMisbehaved():
            return (
                f"{address} does not answer like a Redis Enterprise node: {error.detail}. "
                "Check the address and the port, which is usually 9443."
            )
        case NodeRedirected():
            return (
                f"{address} redirects to another address ({error.status}); this was not followed. "
                "Nodes do not redirect: enter the address of the node itself, not of a proxy or load balancer."
            )
        case _:
            return _explain_answer(error, str(address))


def _explain_answer(error: NodeError, address: str) -> str:
    match error:
        case NodeUnverified():
            return f"The certificate of {address} does not verify: {error.detail}."
        case NodeRefused() if error.status == TLS_ALERT:
            return f"{address} rejects the client certificate, by a TLS alert."
        case NodeRefused():
            return (
                f"{address} requires credentials ({error.status}). "
                "It is already in a cluster, or there is a proxy in front of it."
            )
        case NodeUnavailable():
            return f"{address} is not ready ({error.status}). A node that has just started needs up to five minutes."
        case BootstrapInProgress():
            return f"A bootstrap is already running on {address}. Wait until it ends."
        case BootstrapRejected():
            return f"{address} rejected the request ({error.status}). Nothing was started."
        case BootstrapUnsupported():
            return f"{address} does not support this action ({error.status}). Its software may be too old."
        case TooLateToSend():
            return f"This server was too busy to send the request to {address} in time. Nothing was sent."
        case _:
            return f"The request to {address} failed: {error}."


def _explain_unreachable(error: NodeUnreachable, address: str) -> str:
    detail = f" ({error.detail})" if error.detail else ""
    match error.phase:
        case "dns":
            return (
                f"The host name of {address} could not be resolved{detail}. "
                "Check the spelling, or enter the node's IP address."
            )
        case "connect":
            return (
                f"Cannot connect to {address}{detail}. The node may still be starting, which takes up to five "
                "minutes, or a firewall blocks the port."
            )
        case "tls":
            return (
                f"Cannot open a TLS connection to {address}{detail}. The node may be restarting, or this is not the "
                "port of its API, which is usually 9443."
            )
        case "request":
            return (
                f"The connection to {address} was lost while sending the request{detail}. The node may be restarting."
            )
        case "answer":
            return (
                f"{address} did not send a complete answer{detail}. "
                "The node may be starting or restarting. Try again in a minute."
            )
