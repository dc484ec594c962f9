"""From a request to an answer: paths, methods, sign-in, and the line in the journal.

Reference: the bootstrap API's documentation (paths, states, error codes); RFC 9110 (status codes).
"""

import base64
import binascii
import hmac
import re
from collections.abc import Awaitable, Callable
from http import HTTPMethod
from typing import Any
from urllib.parse import unquote

from setup_wizard.reference_node import exchange, joining, lifecycle
from setup_wizard.reference_node.configuration import Configuration, parse_configuration
from setup_wizard.reference_node.errors import BootstrapFailed, Busy, ClusterUnavailable, Malformed, Replaced
from setup_wizard.reference_node.exchange import PeerState
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
)
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.schema import read_json

BODY_LIMIT = 1024 * 1024
METHODS = frozenset(HTTPMethod)
NODE_PATH = "/v1/nodes/{uid}"
NODE_PLACE = re.compile(r"/v1/nodes/[0-9]{1,9}")
HARMLESS_PATH = re.compile(r"/[A-Za-z0-9/_.-]*")
MEMBER_PATHS = frozenset({exchange.PATH, joining.ADMISSION_PATH})
Handler = Callable[[Node, Request], Awaitable[Answer]]


class Api:
    """The ASGI application of one node."""

    def __init__(self, node: Node) -> None:
        self.node = node

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        """Answer one request, after its line is in the journal."""
        request = await read_request(scope, receive)
        has_arrived = request.body is not None or request.too_long
        answer = await self._answer(request) if has_arrived else Answer(400 if request.connection.is_refused else None)
        self._note(request, answer)
        if has_arrived:
            await answer.leave(request, send)

    async def _answer(self, request: Request) -> Answer:
        faults = self.node.faults
        for fault in faults:
            await fault.hold(request)
        for fault in faults:
            if instead := fault.intercept(request):
                await check_sign_in(self.node, request, counts=False)  # for the journal alone
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
    """Take a request in: its body up to the limit, or None when the client went away before its end."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    request = Request(scope["method"], read_path(scope["raw_path"]), headers, None, scope["state"]["connection"])
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > BODY_LIMIT:
        request.too_long = True
        return request
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return request
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            request.too_long = True
            return request
        if not message.get("more_body"):
            request.body = bytes(body)
            return request


def read_path(target: bytes) -> str:
    """The path of a target, also of a whole URL, whose host and user are nothing to a node.

    Reference: RFC 9112, section 3.2.2.
    """
    text = target.decode("ascii")
    _scheme, is_absolute, rest = text.partition("://")
    if is_absolute and not text.startswith("/"):
        text = "/" + rest.partition("/")[2]
    return unquote(text)


def write_path(path: str) -> str:
    """A path for the journal, cut where something begins that a client may have meant for another place, as secrets."""
    harmless = HARMLESS_PATH.match(path[:200])
    beginning = harmless[0] if harmless else ""
    return beginning if beginning == path else f"{beginning}…"


async def respond(node: Node, request: Request) -> Answer:
    """Find the answer to a request."""
    methods = ROUTES.get(NODE_PATH if NODE_PLACE.fullmatch(request.path) else request.path)
    if methods is None or (request.path.startswith(VALIDATION_PATH) and not node.traits.validates):
        return refusal(404, "not_found", f"There is nothing at {request.path[:200]}.")
    if request.method not in methods:
        return refusal(405, "method_not_allowed", f"Use {' or '.join(methods)}.", allow=", ".join(methods))
    try:
        return await respond_to_known(node, request, methods[request.method])
    except ClusterUnavailable as error:
        return refusal(503, "unavailable", str(error))


async def respond_to_known(node: Node, request: Request, handler: Handler) -> Answer:
    """Answer a request for something that is there; raises ClusterUnavailable."""
    if refused := await check_sign_in(node, request):
        return refused
    if request.method == "POST" and (refused := check_media(request)):
        return refused
    if request.too_long:
        return refusal(413, "too_long", f"A body may have {BODY_LIMIT} bytes.", connection="close")
    try:
        return await handler(node, request)
    except Malformed as error:
        return refusal(400, "config_error", str(error))


async def check_sign_in(node: Node, request: Request, *, counts: bool = True) -> Answer | None:
    """Note whether the request is signed in, and refuse it when it had to be; None lets it pass.

    A refusal that `counts` brings the account nearer to its lock.
    """
    membership = node.membership
    credentials = read_basic(request.authorization)
    request.user = write_user(credentials)
    if membership is None:
        if request.path.startswith(BOOTSTRAP_PATH):
            return None
        return refusal(503, "not_a_member", "This node is not a member of a cluster.")
    secret = f"Bearer {membership.cluster.secret}"
    if request.path in MEMBER_PATHS and hmac.compare_digest(request.authorization.encode(), secret.encode()):
        request.signed_in = True
    elif request.path != exchange.PATH:
        result = await node.sign_in(*credentials, counts=counts) if credentials else SignIn.REFUSED
        request.locked, request.signed_in = result is SignIn.LOCKED, result is SignIn.ACCEPTED
    if request.signed_in:
        return None
    return refusal(
        401, "unauthorized", "Sign in as the cluster's administrator.", www_authenticate='Basic realm="cluster"'
    )


def check_media(request: Request) -> Answer | None:
    """Refuse a body that does not say that it is JSON; None lets it pass."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "application/json":
        return None
    return refusal(415, "unsupported_media_type", "Send application/json.")


def read_basic(authorization: str) -> tuple[str, str] | None:
    """The user name and the password of a Basic sign-in; None when it is none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError):
        return None
    return (username, password) if colon else None


def write_user(credentials: tuple[str, str] | None) -> str | None:
    """The user name of a sign-in for the journal; None when there is none that a person would read as one."""
    return credentials[0] if credentials and len(credentials[0]) <= 255 and credentials[0].isprintable() else None


async def show_bootstrap(node: Node, _request: Request) -> Answer:
    """Say where the bootstrap stands, and what the machine is."""
    return document_answer(node.document())


def bootstrap_with(action: Action) -> Handler:
    """Make the handler that begins one action."""

    async def bootstrap(node: Node, request: Request) -> Answer:
        configuration = read_configuration(node, action, request)
        try:
            node.submit(configuration)
        except Busy:
            return refuse_busy(node)
        return Answer(200, accepted=True)

    return bootstrap


def validate_with(action: Action) -> Handler:
    """Make the handler that says, at once, whether one action could be done.

    It is refused as the action itself would be: 400, 401 and 409 mean the same. 406 has the status that the bootstrap
    would have ended in as its body; the node's own status stays what it is.
    """

    async def validate(node: Node, request: Request) -> Answer:
        configuration = read_configuration(node, action, request)
        started = lifecycle.begin(Progress(), action, node.now(), node.pace)
        try:
            await node.validate(configuration)
        except Busy:
            return refuse_busy(node)
        except BootstrapFailed as failed:
            return document_answer(lifecycle.fail(started, failed.failure, node.now()).document(), 406)
        return Answer(200)

    return validate


def read_configuration(node: Node, action: Action, request: Request) -> Configuration:
    """Read the body of a request for a bootstrap; raises Malformed."""
    return parse_configuration(action, read_json(request.body or b""), strict=node.traits.strict)


def refuse_busy(node: Node) -> Answer:
    """Say that no bootstrap is accepted now."""
    state = node.progress.state
    return refusal(409, "bootstrap_in_progress", f"A bootstrap is accepted in idle and error only, not in {state}.")


async def list_nodes(node: Node, _request: Request) -> Answer:
    """Say which nodes the cluster has."""
    return document_answer([member.document() for member in await node.member.ask_members()])


async def show_node(node: Node, request: Request) -> Answer:
    """Say how one node of the cluster is."""
    uid = int(request.path.rpartition("/")[2])
    found = next((member for member in await node.member.ask_members() if member.uid == uid), None)
    if found is None:
        return refusal(404, "not_found", f"The cluster has no node {uid}.")
    return document_answer(found.document())


async def check_cluster(node: Node, _request: Request) -> Answer:
    """Ask every member whether it is well."""
    return document_answer(await node.member.check())


async def show_cluster(node: Node, _request: Request) -> Answer:
    """Say which cluster this is."""
    membership = node.member.membership
    facts = {"cnm_https_port": node.port, "use_ipv6": ":" in membership.own.addr}
    return document_answer({**membership.cluster.document(), **facts})


async def show_license(node: Node, _request: Request) -> Answer:
    """Say on what terms the cluster may be used."""
    cluster = node.member.membership.cluster
    terms = find_license(cluster.license, cluster.name, parse_time(cluster.created_time))
    return document_answer(
        {**terms.answer(node.now(), cluster.shards), "key": cluster.license, "license": cluster.license}
    )


async def show_policy(node: Node, _request: Request) -> Answer:
    """Say what the cluster does by itself, to every accepted sign-in."""
    return document_answer(node.member.membership.cluster.policy())


async def admit_node(node: Node, request: Request) -> Answer:
    """Take a new node in, for the node itself: it signs in with the administrator's credentials."""
    try:
        application = joining.Application.parse(read_json(request.body or b""))
    except ValueError as error:
        raise Malformed(str(error)) from None
    try:
        return await node.member.admit(application, node.now())
    except BootstrapFailed as refused:
        return document_answer(
            {"error_code": refused.failure.code, "error_details": dict(refused.failure.details)}, status=409
        )


async def exchange_members(node: Node, request: Request) -> Answer:
    """Hear what another member says, and say what this one does."""
    try:
        state = PeerState.parse(read_json(request.body or b""))
    except ValueError as error:
        raise Malformed(str(error)) from None
    try:
        return document_answer(node.member.receive(state).document())
    except Replaced as replaced:
        return refusal(exchange.REPLACED, "replaced", str(replaced))


def reading(handler: Handler) -> dict[str, Handler]:
    """The methods of what is only read: the server leaves the body of an answer to HEAD out."""
    return {"GET": handler, "HEAD": handler}


ROUTES: dict[str, dict[str, Handler]] = {
    BOOTSTRAP_PATH: reading(show_bootstrap),
    **{f"{BOOTSTRAP_PATH}/{action.value}": {"POST": bootstrap_with(action)} for action in Action},
    **{f"{VALIDATION_PATH}{action.value}": {"POST": validate_with(action)} for action in Action},
    "/v1/nodes": reading(list_nodes),
    NODE_PATH: reading(show_node),
    "/v1/cluster": reading(show_cluster),
    "/v1/cluster/check": reading(check_cluster),
    "/v1/cluster/policy": reading(show_policy),
    "/v1/license": reading(show_license),
    joining.ADMISSION_PATH: {"POST": admit_node},
    exchange.PATH: {"POST": exchange_members},
}
