import pytest

from setup_wizard.nodes.client import connect
from setup_wizard.nodes.errors import (
    BootstrapInProgress,
    BootstrapRejected,
    BootstrapUnsupported,
    NodeMisbehaved,
    NodeRedirected,
    NodeRefused,
    NodeUnavailable,
)
from tests.nodes.servers import always, answer


def ask(server):
    with connect(server.endpoint, server.pins) as node:
        return node.status()


GET_STATUSES = [
    (201, NodeMisbehaved),
    (204, NodeMisbehaved),
    (304, NodeRedirected),
    (400, NodeMisbehaved),
    (401, NodeRefused),
    (403, NodeRefused),
    (404, NodeMisbehaved),
    (405, NodeMisbehaved),
    (406, NodeUnavailable),
    (408, NodeUnavailable),
    (429, NodeUnavailable),
    (500, NodeUnavailable),
    (501, NodeUnavailable),
    (502, NodeUnavailable),
    (503, NodeUnavailable),
    (504, NodeUnavailable),
    (599, NodeUnavailable),
    (600, NodeMisbehaved),
    (999, NodeMisbehaved),
]


@pytest.mark.parametrize(("status", "kind"), GET_STATUSES)
def test_each_get_status_code_raises_its_error(serve, status, kind):
    node = serve(always(answer(status)))

    with pytest.raises(kind) as failure:
        ask(node)

    assert type(failure.value) is kind
    assert getattr(failure.value, "status", status) == status


POST_STATUSES = [
    (304, NodeRedirected),
    (400, BootstrapRejected),
    (401, NodeRefused),
    (402, NodeMisbehaved),
    (403, NodeRefused),
    (404, BootstrapUnsupported),
    (405, BootstrapUnsupported),
    (406, BootstrapRejected),
    (408, NodeMisbehaved),
    (409, BootstrapInProgress),
    (413, BootstrapRejected),
    (415, BootstrapRejected),
    (422, BootstrapRejected),
    (429, NodeMisbehaved),
    (500, NodeUnavailable),
    (502, NodeUnavailable),
    (503, NodeUnavailable),
    (504, NodeUnavailable),
    (600, NodeMisbehaved),
]


@pytest.mark.parametrize(("status", "kind"), POST_STATUSES)
def test_each_post_status_code_raises_its_error(serve, create_request, status, kind):
    node = serve(always(answer(status)))

    with pytest.raises(kind) as failure, connect(node.endpoint, node.pins) as connection:
        connection.bootstrap(create_request)

    assert type(failure.value) is kind
    assert getattr(failure.value, "status", status) == status
    assert len(node.posts) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("body", [b"", b"\r\n", b"{}", b'{"ok": true}'])
def test_bootstrap_returns_when_the_node_accepts(serve, create_request, status, body):
    node = serve(always(answer(status, body=b"" if status == 204 else body)))

    with connect(node.endpoint, node.pins) as connection:
        connection.bootstrap(create_request)

    assert len(node.posts) == 1


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"{", b'{"a": NaN}', b"\xff\xfe"])
def test_an_html_page_does_not_count_as_acceptance(serve, create_request, body):
    node = serve(always(answer(200, body=body)))

    with pytest.raises(NodeMisbehaved, match="not JSON"), connect(node.endpoint, node.pins) as connection:
        connection.bootstrap(create_request)

    assert len(node.posts) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error_code": "bad_path", "description": "no such path"}', "no such path"),
        (b'{"error_code": "bad_path", "message": "no such path"}', "no such path"),
        (b'{"detail": "no such path"}', "no such path"),
        (b'{"error_code": "bad_path"}', "bad_path"),
        (b'{"description": 7, "message": ["x"]}', ""),
        (b'"no such path"', "no such path"),
        (b"no such path", "no such path"),
        (b"<html><h1>no such path</h1></html>", ""),
        (b"[1]", ""),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", ""),
    ],
)
def test_rejection_keeps_the_node_message_in_every_known_form(serve, create_request, body, message):
    node = serve(always(answer(400, body=body)))

    with pytest.raises(BootstrapRejected) as rejection, connect(node.endpoint, node.pins) as connection:
        connection.bootstrap(create_request)

    assert rejection.value.body.words == message


def test_compressed_rejection_has_no_message(serve, create_request):
    node = serve(always(answer(400, body=b"words", Content_Encoding="gzip")))

    with pytest.raises(BootstrapRejected) as rejection, connect(node.endpoint, node.pins) as connection:
        connection.bootstrap(create_request)

    assert rejection.value.body.words == ""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"<html></html>", "not JSON"),
        (b"{}", "no bootstrap_status"),
        (b"[]", "not a JSON object"),
        (b'{"bootstrap_status": {}}', "no state"),
        (b'{"bootstrap_status": {"state": 7}}', "no state"),
        (b'{"bootstrap_status": {"state": "idle"}, "x": NaN}', "invalid number"),
        (b'{"bootstrap_status": {"state": "idle"}, "x": Infinity}', "invalid number"),
        (b'{"bootstrap_status": {"state": "idle", "state": "completed"}}', "duplicate key"),
        (b"[" * 1000 + b"]" * 1000, "nested deeper"),
        (b"[" * 200_000, "nested deeper"),
        (b'{"bootstrap_status": {"state": "idle"}}\xff', "not JSON"),
    ],
)
def test_answers_of_other_services_are_rejected_with_a_reason(serve, body, reason):
    something = serve(always(answer(200, body=body)))

    with pytest.raises(NodeMisbehaved) as refusal:
        ask(something)

    assert reason in refusal.value.detail
