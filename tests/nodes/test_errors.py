import inspect
import socket
import ssl

import h11
import pytest

from setup_wizard.nodes import errors
from setup_wizard.nodes.error_body import read_error_body
from setup_wizard.nodes.errors import (
    BootstrapRejected,
    NodeError,
    NodeMisbehaved,
    NodeRedirected,
    NodeUnreachable,
    translated,
)


@pytest.mark.parametrize("module", [socket, ssl])
def test_every_exception_of_sockets_and_tls_means_unreachable(module):
    public = [kind for name, kind in vars(module).items() if not name.startswith("_") and inspect.isclass(kind)]

    assert [kind for kind in public if issubclass(kind, Exception) and not issubclass(kind, OSError)] == []


def test_socket_errors_become_unreachable_in_their_phase():
    with pytest.raises(NodeUnreachable) as failure, translated("connect"):
        raise ConnectionRefusedError(111, "Connection refused")

    assert (failure.value.phase, failure.value.detail) == ("connect", "connection refused")
    assert failure.value.is_unsent


@pytest.mark.parametrize(("phase", "is_unsent"), [("dns", True), ("tls", True), ("request", False), ("answer", False)])
def test_only_the_phases_before_the_request_prove_that_nothing_was_sent(phase, is_unsent):
    assert NodeUnreachable(phase).is_unsent is is_unsent


def test_exceptions_do_not_contain_what_the_node_sent():
    with pytest.raises(NodeMisbehaved) as failure, translated("answer"):
        raise h11.RemoteProtocolError("CANARY")

    assert "CANARY" not in f"{failure.value!r} {failure.value} {failure.value.detail}"
    assert failure.value.__suppress_context__


def test_node_text_is_shortened_and_only_in_attributes():
    rejected = BootstrapRejected(400, read_error_body(b"CANARY\0\x1b[2J" + b"x" * 10_000))
    redirected = NodeRedirected(302, "https://CANARY/\r\nSet-Cookie: x" + "x" * 1000)

    assert "CANARY" not in f"{rejected} {rejected!r} {vars(rejected)} {redirected} {redirected!r}"
    assert rejected.body.words.startswith("CANARY\0\x1b[2Jx")
    assert (len(rejected.body.words), len(redirected.location)) == (4096, 300)
    assert "\r" not in redirected.location


def test_our_own_bugs_are_not_translated():
    with pytest.raises(h11.LocalProtocolError), translated("request"):
        raise h11.LocalProtocolError("ours")

    with pytest.raises(KeyError), translated("request"):
        raise KeyError("ours")


def test_docstring_lists_every_error_class():
    classes = [
        name
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == errors.__name__
    ]

    assert [name for name in classes if name not in errors.__doc__] == []


def test_node_errors_pass_unchanged():
    error = NodeMisbehaved("the answer has no bootstrap_status")

    with pytest.raises(NodeError) as passed, translated("answer"):
        raise error

    assert passed.value is error
