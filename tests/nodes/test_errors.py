import http.client
import inspect
import json
import socket
import ssl

import pytest
import requests.exceptions
import urllib3.exceptions

from setup_wizard.nodes import errors
from setup_wizard.nodes.error_body import read_error_body
from setup_wizard.nodes.errors import (
    FOREIGN,
    BootstrapRejected,
    Meaning,
    NodeError,
    NodeMisbehaved,
    NodeRedirected,
    NodeUnreachable,
    meaning_of,
    translated,
)

GENERAL = {Exception, OSError, ValueError, TypeError, AssertionError}


def raised_by(module):
    """Every exception that a library defines or passes on, without the warnings."""
    for name, kind in vars(module).items():
        if name.startswith("_") or not inspect.isclass(kind) or kind in GENERAL:
            continue
        if issubclass(kind, Exception) and not issubclass(kind, Warning):
            yield kind


@pytest.mark.parametrize("module", [socket, ssl, http.client, requests.exceptions])
def test_every_exception_of_the_libraries_below_has_a_meaning_of_its_own(module):
    # json's own error only stands in this module, to be a parent
    unmapped = [kind for kind in raised_by(module) if kind not in FOREIGN and kind is not json.JSONDecodeError]

    assert unmapped == []


def test_every_exception_of_urllib3_has_a_meaning():
    unmapped = [kind for kind in raised_by(urllib3.exceptions) if meaning_of(kind) is None]

    assert [kind for kind in unmapped if kind.__module__.startswith("urllib3")] == []


def test_silence_becomes_unreachable_in_its_phase():
    with pytest.raises(NodeUnreachable) as failure, translated("connect"):
        raise ConnectionRefusedError(111, "Connection refused")

    assert (failure.value.phase, failure.value.detail) == ("connect", "connection refused")
    assert failure.value.is_unsent


@pytest.mark.parametrize(("phase", "is_unsent"), [("dns", True), ("tls", True), ("request", False), ("answer", False)])
def test_only_the_phases_before_the_request_prove_that_nothing_was_sent(phase, is_unsent):
    assert NodeUnreachable(phase).is_unsent is is_unsent


def test_what_a_node_sent_is_in_no_exception_text_and_in_no_chain():
    with pytest.raises(NodeMisbehaved) as failure, translated("answer"):
        raise http.client.BadStatusLine("CANARY")

    assert "CANARY" not in f"{failure.value!r} {failure.value} {failure.value.detail}"
    assert failure.value.__suppress_context__


def test_a_nodes_own_words_are_capped_made_visible_and_kept_out_of_the_text():
    rejected = BootstrapRejected(400, read_error_body(b"CANARY\0\x1b[2J" + b"x" * 10_000))
    redirected = NodeRedirected(302, "https://CANARY/\r\nSet-Cookie: x" + "x" * 1000)

    assert "CANARY" not in f"{rejected} {rejected!r} {vars(rejected)} {redirected} {redirected!r}"
    assert rejected.body.words.startswith("CANARY\0\x1b[2Jx")
    assert (len(rejected.body.words), len(redirected.location)) == (4096, 300)
    assert "\r" not in redirected.location


def test_a_bug_of_ours_is_not_blamed_on_the_node():
    with pytest.raises(http.client.CannotSendRequest), translated("request"):
        raise http.client.CannotSendRequest

    with pytest.raises(KeyError), translated("request"):
        raise KeyError("ours")


def test_the_tree_in_the_docstring_names_every_class():
    classes = [
        name
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == errors.__name__
    ]

    assert [name for name in classes if name not in errors.__doc__] == []


def test_a_node_error_passes_untouched():
    error = NodeMisbehaved("the answer has no bootstrap_status")

    with pytest.raises(NodeError) as passed, translated("answer"):
        raise error

    assert passed.value is error


def test_meanings_are_used():
    assert set(FOREIGN.values()) == set(Meaning)
