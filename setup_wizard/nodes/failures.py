"""Why a node could not be asked, in plain words, for the field in which its address stands."""

from setup_wizard.nodes.address import Address
from setup_wizard.nodes.errors import (
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
    TooLateToSend,
)


def explain_failure(error: NodeError | AddressForbidden | AddressInvalid, address: Address | str) -> str:
    """Say what happened and what to look at; `address` is shown as it is given."""
    match error:
        case AddressInvalid() | AddressForbidden():
            return error.message
        case NodeUnreachable():
            return _explain_silence(error, str(address))
        case NodeUntrusted():
            return (
                f"{address} now shows another certificate than the approved one: {error.seen.fingerprint}. "
                "Nothing was sent to it. Compare the new fingerprint on the node before approving it."
            )
        case NodeMisbehaved():
            return (
                f"Something answers at {address}, but not as a Redis Enterprise node does: {error.detail}. "
                "Check the address and the port; the API of a node is usually at 9443."
            )
        case NodeRedirected():
            return (
                f"{address} answered with a redirect ({error.status}), which is not followed. "
                "A node does not do that: check that the address is the node itself, not a proxy or a load balancer."
            )
        case _:
            return _explain_answer(error, str(address))


def _explain_answer(error: NodeError, address: str) -> str:
    match error:
        case NodeRefused():
            return (
                f"{address} refuses the request without a valid sign-in ({error.status}). "
                "It belongs to a cluster already, or a proxy stands in front of it."
            )
        case NodeUnavailable():
            return (
                f"{address} answers, but is not ready ({error.status}). "
                "A node that has just started needs up to five minutes."
            )
        case BootstrapInProgress():
            return f"A bootstrap is already running on {address}. Only one can run at a time."
        case BootstrapRejected():
            return f"{address} did not accept the request ({error.status}); nothing was started."
        case BootstrapUnsupported():
            return f"{address} does not know this action ({error.status}). Its software version may be too old for it."
        case TooLateToSend():
            return f"This server was too busy to send the request to {address} in time, so nothing was sent."
        case _:
            return f"{address} could not be asked: {error}."


def _explain_silence(error: NodeUnreachable, address: str) -> str:
    detail = f" ({error.detail})" if error.detail else ""
    match error.phase:
        case "dns":
            return (
                f"The name of {address} could not be resolved{detail}. "
                "Check the spelling, or type the node's IP address."
            )
        case "connect":
            return (
                f"Nothing answers at {address}{detail}. The node may still be starting (that takes up to five "
                "minutes), or the port is closed by a firewall."
            )
        case "tls":
            return (
                f"Something answers at {address}, but no secure connection came about{detail}. The node may be "
                "restarting, or the port is not that of its HTTPS API, which is usually 9443."
            )
        case "request":
            return (
                f"The connection to {address} broke while the request was being sent{detail}. "
                "The node may be restarting."
            )
        case "answer":
            return (
                f"{address} accepted the connection, but gave no complete answer{detail}. "
                "The node may be starting or restarting: try again in a minute."
            )
