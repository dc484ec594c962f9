"""From a request to an answer: paths, methods, sign-in and journal.

Reference: the bootstrap API's documentation (paths, states, error codes); RFC 9110 (status codes).
"""

import base64
import binascii
import hmac
import re
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from functools import partial
from http import HTTPMethod
from typing import Any, TypeVar
from urllib.parse import unquote

from setup_wizard.reference_node import joining, lifecycle
from setup_wizard.reference_node.bootstrap_plan import BootstrapPlan, parse_plan
from setup_wizard.reference_node.cluster_member import EXCHANGE_PATH, REPLACED, PeerState
from setup_wizard.reference_node.documents import read_document, write_document
from setup_wizard.reference_node.errors import BootstrapFailed, Busy, ClusterUnavailable, Malformed, Replaced
from setup_wizard.reference_node.license import find_license
from setup_wizard.reference_node.lifecycle import Action, Progress, format_time, parse_time
from setup_wizard.reference_node.lockout import SignIn
from setup_wizard.reference_node.messages import (
    BOOTSTRAP_PATH,
    VALIDATION_PATH,
    Answer,
    Request,
    Send,
    document_answer,
    refusal,
    refuse_sign_in,
)
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.options import Traits
from setup_wizard.reference_node.schema import read_json

BODY_LIMIT = 1024 * 1024
METHODS = frozenset(HTTPMethod)
NODE_PATH = "/v1/nodes/{uid}"
NODE_PATTERN = re.compile(r"/v1/nodes/[0-9]{1,9}")
HARMLESS_PATH = re.compile(r"/[A-Za-z0-9/_.-]*")
OCSP_PATH = "/v1/ocsp"
CHECK_PATH = "/v1/cluster/check"
MEMBER_PATHS = frozenset({EXCHANGE_PATH, joining.ADMISSION_PATH})
MODULES = [
    {"uid": name.lower().ljust(32, "0"), "module_name": name, "semantic_version": "8.0.1", "is_bundled": True}
    for name in ("bf", "ReJSON", "search", "timeseries")
]
OCSP = {"ocsp_functionality": False, "responder_url": "", "query_frequency": 3600, "response_timeout": 1}
T = TypeVar("T")
Handler = Callable[[Node, Request], Awaitable[Answer]]


class Api:
    """The ASGI application of one node."""

    def __init__(self, node: Node) -> None:
        self.node = node

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        request = await read_request(scope, receive)
        has_arrived = request.body is not None or request.too_long
        answer = await self._answer(request) if has_arrived else Answer(400 if request.connection.is_refused else None)
        answer = answer.replaced(headers={"date": formatdate(self.node.now(), usegmt=True), **answer.headers})
        self._note(request, answer)
        if has_arrived:
            await answer.send(request, send)

    async def _answer(self, request: Request) -> Answer:
        faults = self.node.faults
        for fault in faults:
            await fault.hold(request)
        for fault in faults:
            if instead := fault.intercept(request):
                await check_sign_in(self.node, request, counts=False)  # for the journal only
                return instead
        answer = await respond(self.node, request)
        if answer.accepted:
            faults.note_accepted()
        for fault in faults:
            answer = fault.replace(request, answer)
        return answer

    def _note(self, request: Request, answer: Answer) -> None:
        progress = self.node.progress
        self.node.journal.write(
            {
                "method": request.method if request.method in METHODS else "…",
                "path": write_path(request.path),
                "complete": request.body is not None,
                "signed_in": request.signed_in,
                "authorization": bool(request.authorization),
                "user": request.user,
                "locked": request.locked,
                "accepted": answer.accepted,
                "status": answer.status,
                "state": progress.state.value,
                "start_time": None if progress.start_time is None else format_time(progress.start_time),
                "peer": request.connection.peer,
                "fault": answer.fault or (request.faults[0] if request.faults else None),
            }
        )


async def read_request(scope: Any, receive: Callable[[], Awaitable[Any]]) -> Request:
    """Read a request; its body is None when the client disconnects before the end, or it is too long."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    request = Request(scope["method"], read_path(scope["raw_path"]), headers, None, scope["state"]["connection"])
    length = headers.get("content-length", "0")
    request.too_long = not length.isdecimal() or int(length) > BODY_LIMIT
    body = bytearray()
    while not request.too_long:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        request.too_long = len(body) > BODY_LIMIT
        if not message.get("more_body") and not request.too_long:
            request.body = bytes(body)
            break
    return request


def read_path(target: bytes) -> str:
    """The path of a request target, which may be a whole URL.

    Reference: RFC 9112, section 3.2.2.
    """
    text = target.decode("ascii")
    _scheme, is_absolute, rest = text.partition("://")
    if is_absolute and not text.startswith("/"):
        text = "/" + rest.partition("/")[2]
    return unquote(text)


def write_path(path: str) -> str:
    """A path for the journal, cut at the first unusual character: a client may have put a secret into it."""
    harmless = HARMLESS_PATH.match(path[:200])
    beginning = harmless[0] if harmless else ""
    return beginning if beginning == path else f"{beginning}…"


async def respond(node: Node, request: Request) -> Answer:
    """Answer a request."""
    methods = ROUTES.get(NODE_PATH if NODE_PATTERN.fullmatch(request.path) else request.path)
    if methods is None or not has_path(node.traits, request.path):
        return refusal(404, "not_found", f"There is nothing at {request.path[:200]}.")
    if request.method not in methods:
        return refusal(405, "method_not_allowed", f"Use {' or '.join(methods)}.", allow=", ".join(methods))
    try:
        if refused := await check_sign_in(node, request) or check_media(request):
            return refused
        return await methods[request.method](node, request)
    except ClusterUnavailable as error:
        return refusal(503, "unavailable", str(error))
    except Malformed as error:
        return refusal(400, "config_error", str(error))
    except Busy:
        text = f"A bootstrap is accepted in idle and error only, not in {node.progress.state}."
        return refusal(409, "bootstrap_in_progress", text)


def has_path(traits: Traits, path: str) -> bool:
    """Whether the node has a path that older nodes do not have."""
    if path.startswith(VALIDATION_PATH):
        return traits.validates and traits.release >= (7, 4)
    return path != CHECK_PATH or traits.release >= (7, 4)


async def check_sign_in(node: Node, request: Request, *, counts: bool = True) -> Answer | None:
    """Note whether the request is signed in; returns a refusal when it must be and is not.

    A refused sign-in that `counts` brings the account nearer to its lock.
    """
    membership = node.membership
    credentials = read_basic(request.authorization)
    if credentials and len(credentials[0]) <= 255 and credentials[0].isprintable():
        request.user = credentials[0]
    if membership is None:
        if request.path.startswith(BOOTSTRAP_PATH):
            return None
        return refusal(503, "not_a_member", "This node is not a member of a cluster.")
    secret = f"Bearer {membership.cluster.secret}"
    if request.path in MEMBER_PATHS and hmac.compare_digest(request.authorization.encode(), secret.encode()):
        request.signed_in = True
    elif request.path != EXCHANGE_PATH and (name := request.connection.client_name) is not None:
        request.user, request.signed_in = name, True
    elif request.path != EXCHANGE_PATH and credentials and node.traits.basic_auth:
        result = await node.sign_in(*credentials, counts=counts)
        request.locked, request.signed_in = result is SignIn.LOCKED, result in {SignIn.ACCEPTED, SignIn.VIEWER}
        if result is SignIn.VIEWER and (not request.is_read or request.path == OCSP_PATH):
            return refusal(403, "forbidden", f"{request.user} has no administrator role.")
    return None if request.signed_in else refuse_sign_in()


def read_basic(authorization: str) -> tuple[str, str] | None:
    """Read the credentials of a Basic sign-in; None when there are none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError):
        return None
    return (username, password) if colon else None


def check_media(request: Request) -> Answer | None:
    """Refuse a body that is too long or not declared as JSON."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method in {"POST", "PUT"} and media != "application/json":
        return refusal(415, "unsupported_media_type", "Send application/json.")
    if request.too_long:
        return refusal(413, "too_long", f"A body may have {BODY_LIMIT} bytes.", connection="close")
    return None


async def _show_bootstrap(node: Node, _request: Request) -> Answer:
    return document_answer(node.document())


def bootstrap_with(action: Action) -> Handler:
    """Make the handler that starts one action."""

    async def bootstrap(node: Node, request: Request) -> Answer:
        node.submit(_read_plan(node, action, request))
        return Answer(200, accepted=True)

    return bootstrap


def validate_with(action: Action) -> Handler:
    """Make the handler that checks at once whether one action can be done.

    The body of 406 is the status in which the bootstrap would have ended; the status of the node does not change.
    """

    async def validate(node: Node, request: Request) -> Answer:
        plan = _read_plan(node, action, request)
        started = lifecycle.begin(Progress(), action, node.now(), node.pace)
        try:
            await node.validate(plan)
        except BootstrapFailed as failed:
            return document_answer(lifecycle.fail(started, failed.failure, node.now()).document(), 406)
        return Answer(200)

    return validate


def _read_plan(node: Node, action: Action, request: Request) -> BootstrapPlan:
    return parse_plan(action, read_json(request.body or b""), strict=node.traits.strict)


async def _list_nodes(node: Node, _request: Request) -> Answer:
    return document_answer([member.document() for member in await node.member.ask_members()])


async def _show_node(node: Node, request: Request) -> Answer:
    uid = int(request.path.rpartition("/")[2])
    found = [member.document() for member in await node.member.ask_members() if member.uid == uid]
    return document_answer(found[0]) if found else refusal(404, "not_found", f"The cluster has no node {uid}.")


async def _check_cluster(node: Node, _request: Request) -> Answer:
    return document_answer(await node.member.check())


async def _show_cluster(node: Node, _request: Request) -> Answer:
    membership = node.member.membership
    facts = {"cnm_https_port": node.port, "use_ipv6": ":" in membership.own.addr}
    facts["mtls_certificate_authentication"] = node.traits.client_ca is not None
    return document_answer({**membership.cluster.document(), **facts})


async def _list_statuses(node: Node, _request: Request) -> Answer:
    members = await node.member.ask_members()
    primary = next(member.uid for member in members if not member.is_down)
    return document_answer({str(each.uid): each.status_document(is_primary=each.uid == primary) for each in members})


async def _show(document: object, _node: Node, _request: Request) -> Answer:
    return document_answer(document)


async def _show_license(node: Node, _request: Request) -> Answer:
    cluster = node.member.membership.cluster
    terms = find_license(cluster.license, cluster.name, parse_time(cluster.created_time))
    text = {"key": cluster.license, "license": cluster.license}
    return document_answer({**terms.answer(node.now(), cluster.shards), **text})


async def _show_policy(node: Node, _request: Request) -> Answer:
    return document_answer(node.member.membership.cluster.policy())


async def _change_policy(node: Node, request: Request) -> Answer:
    if read_json(request.body or b"") != {"rack_aware": True}:
        raise Malformed("Of this policy, only rack awareness can be changed, and only turned on.")
    await node.member.turn_rack_aware()
    return document_answer(node.member.membership.cluster.policy())


async def _admit_node(node: Node, request: Request) -> Answer:
    try:
        return await node.member.admit(_read(joining.Application, request), node.now())
    except BootstrapFailed as refused:
        document = {"error_code": refused.failure.code, "error_details": dict(refused.failure.details)}
        return document_answer(document, status=409)


async def _exchange_states(node: Node, request: Request) -> Answer:
    try:
        return document_answer(write_document(node.member.receive(_read(PeerState, request))))
    except Replaced as replaced:
        return refusal(REPLACED, "replaced", str(replaced))


def _read(kind: type[T], request: Request) -> T:
    try:
        return read_document(kind, read_json(request.body or b""))
    except ValueError as error:
        raise Malformed(str(error)) from None


def _reading(handler: Handler) -> dict[str, Handler]:
    # the server leaves out the body of an answer to HEAD
    return {"GET": handler, "HEAD": handler}


ROUTES: dict[str, dict[str, Handler]] = {
    BOOTSTRAP_PATH: _reading(_show_bootstrap),
    **{f"{BOOTSTRAP_PATH}/{action.value}": {"POST": bootstrap_with(action)} for action in Action},
    **{f"{VALIDATION_PATH}{action.value}": {"POST": validate_with(action)} for action in Action},
    "/v1/nodes": _reading(_list_nodes),
    NODE_PATH: _reading(_show_node),
    "/v1/cluster": _reading(_show_cluster),
    "/v1/nodes/status": _reading(_list_statuses),
    "/v1/actions": _reading(partial(_show, {"actions": [], "state-machines": []})),
    "/v1/modules": _reading(partial(_show, MODULES)),
    OCSP_PATH: _reading(partial(_show, OCSP)),
    CHECK_PATH: _reading(_check_cluster),
    "/v1/cluster/policy": {**_reading(_show_policy), "PUT": _change_policy},
    "/v1/license": _reading(_show_license),
    joining.ADMISSION_PATH: {"POST": _admit_node},
    EXCHANGE_PATH: {"POST": _exchange_states},
}
