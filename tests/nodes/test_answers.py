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
        return node.bootstrap_answer()


def pairs(statuses):
    return [(kind, status) for kind, codes in statuses.items() for status in codes]


GET_STATUSES = {
    NodeMisbehaved: (201, 204, 400, 404, 405, 600, 999),
    NodeRedirected: (304,),
    NodeRefused: (401, 403),
    NodeUnavailable: (406, 408, 429, 500, 501, 502, 503, 504, 599),
}


@pytest.mark.parametrize(("kind", "status"), pairs(GET_STATUSES))
def test_each_get_status_code_raises_its_error(serve, status, kind):
    node = serve(always(answer(status)))

    with pytest.raises(kind) as failure:
        ask(node)

    assert type(failure.value) is kind
    assert getattr(failure.value, "status", status) == status


POST_STATUSES = {
    NodeRedirected: (304,),
    BootstrapRejected: (400, 406, 413, 415, 422),
    NodeRefused: (401, 403),
    NodeMisbehaved: (402, 408, 429, 600),
    BootstrapUnsupported: (404, 405),
    BootstrapInProgress: (409,),
    NodeUnavailable: (500, 502, 503, 504),
}


@pytest.mark.parametrize(("kind", "status"), pairs(POST_STATUSES))
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
        (b"<html></html>", "not JSON"),
        (b"{}", "no bootstrap_status"),
        (b"[]", "not a JSON object"),
        (b'{"bootstrap_status": {"state": 7}}', "no state"),
        (b'{"bootstrap_status": {"state": "idle"}, "x": NaN}', "invalid number"),
        (b'{"bootstrap_status": {"state": "idle", "state": "completed"}}', "duplicate key"),
        (b"[" * 200_000, "nested deeper"),
        (b'{"bootstrap_status": {"state": "idle"}}\xff', "not JSON"),
    ],
)
def test_answers_of_other_services_are_rejected_with_a_reason(serve, body, reason):
    something = serve(always(answer(200, body=body)))

    with pytest.raises(NodeMisbehaved) as refusal:
        ask(something)

    assert reason in refusal.value.detail
