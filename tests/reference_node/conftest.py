"""Nodes to call, and a client that trusts any certificate they show."""

import json
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests
import urllib3

from setup_wizard.reference_node.faults import parse_fault
from setup_wizard.reference_node.lockout import LockoutPolicy
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.options import Traits
from setup_wizard.reference_node.server import Server

from .background import background
from .running import RunningNode, start_node

MARIA = ("maria@example.com", "correct horse battery staple")


class Unverified(requests.adapters.HTTPAdapter):
    """One TLS context for all connections: requests would load the authorities of the system for each."""

    context = ssl._create_unverified_context()

    def init_poolmanager(self, *arguments: object, **options: object) -> None:
        super().init_poolmanager(*arguments, **options, ssl_context=self.context)


class Caller:
    """A client of one node, with a new connection for each request."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = False
        self.session.mount("https://", Unverified())
        self.session.headers["Connection"] = "close"
        self.host, self.port = address.rsplit(":", 1)[0].strip("[]"), int(address.rsplit(":", 1)[1])

    def get(self, path: str = "/v1/bootstrap", auth: tuple[str, str] | None = None) -> requests.Response:
        return self.ask("GET", path, auth=auth)

    def post(self, action: str, body: object, auth: tuple[str, str] | None = None) -> requests.Response:
        return self.ask("POST", f"/v1/bootstrap/{action}", json=body, auth=auth)

    def ask(self, method: str, path: str, *, timeout: float = 10, **options: object) -> requests.Response:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
            try:
                return self.session.request(method, f"https://{self.address}{path}", timeout=timeout, **options)
            finally:
                # the next request must not use a connection that this answer left open
                self.session.close()

    def connect(self) -> ssl.SSLSocket:
        """A bare connection, for bytes that are not a valid request."""
        context = ssl._create_unverified_context()
        return context.wrap_socket(socket.create_connection((self.host, self.port), 10))

    def give_up_after(self, seconds: float) -> None:
        """Request a create, and close the connection if no answer has come by then."""
        with pytest.raises(requests.ReadTimeout):
            self.ask("POST", "/v1/bootstrap/create_cluster", json=create_body(), timeout=seconds)

    def create(self, **changes: object) -> requests.Response:
        return self.post("create_cluster", create_body(**changes))

    def recover(self, file: object, **changes: object) -> requests.Response:
        return self.post("recover_cluster", recover_body(file, **changes))

    def nodes(self) -> dict[int, str]:
        """The status of each node of the cluster, by its uid."""
        return {entry["uid"]: entry["status"] for entry in self.get("/v1/nodes", auth=MARIA).json()}

    def join(self, member: "Caller", password: str = MARIA[1], **changes: object) -> requests.Response:
        return self.post("join_cluster", join_body(member, password, **changes))

    def status(self) -> dict:
        """The bootstrap's status; with credentials if the node asks for them."""
        answer = self.get()
        return (self.get(auth=MARIA) if answer.status_code == 401 else answer).json()["bootstrap_status"]

    def wait_until(self, *states: str) -> dict:
        return wait_for(lambda: (status := self.try_status()) and status["state"] in states and status)

    def try_status(self) -> dict | None:
        try:
            return self.status()
        except requests.ConnectionError:  # the certificate is being replaced
            return None

    def wants_a_sign_in(self) -> bool:
        try:
            return self.get().status_code == 401
        except requests.ConnectionError:  # the same
            return False


def create_body(**changes: object) -> dict:
    return {
        "action": "create_cluster",
        "cluster": {"nodes": [], "name": "redis-prod.example.com"},
        "node": {"identity": {}},
        "license": "",
        "credentials": {"username": MARIA[0], "password": MARIA[1]},
        **changes,
    }


def join_body(member: Caller, password: str = MARIA[1], **changes: object) -> dict:
    return {
        "action": "join_cluster",
        "cluster": {"nodes": [member.host]},
        "cnm_https_port": member.port,
        "credentials": {"username": MARIA[0], "password": password},
        **changes,
    }


def recover_body(file: object, **changes: object) -> dict:
    return {
        "action": "recover_cluster",
        "recovery_filename": str(file),
        "credentials": {"username": MARIA[0], "password": MARIA[1]},
        **changes,
    }


def create_request() -> bytes:
    """A request to create a cluster, as bytes."""
    body = json.dumps(create_body()).encode()
    head = "POST /v1/bootstrap/create_cluster HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def read_all(connection: ssl.SSLSocket, limit: int = 16 * 1024 * 1024) -> bytes:
    """Return what a node sends until it closes, or until the limit."""
    received = bytearray()
    while len(received) < limit and (data := connection.recv(65536)):
        received += data
    return bytes(received)


def wait_for(condition: Callable[[], object], seconds: float = 10) -> object:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s")


@pytest.fixture
def serve(tmp_path) -> Iterator[Callable[..., Server]]:
    """Start nodes inside this process."""
    with ExitStack() as stack:

        def start(
            name: str = "node-1", *, bind: str = "127.0.0.1", pace: float = 0.04, faults: tuple = (), **traits: object
        ) -> Server:
            parsed = [parse_fault(fault) for fault in faults]
            node = Node(tmp_path / name, bind, pace=pace, faults=parsed, traits=Traits(**traits))
            return stack.enter_context(background(node))

        yield start


@pytest.fixture
def lines(tmp_path) -> Callable[..., list[dict]]:
    """The journal of a node that was served."""

    def read(name: str = "node-1") -> list[dict]:
        return [json.loads(line) for line in (tmp_path / name / "journal.jsonl").read_text().splitlines()]

    return read


@pytest.fixture
def node(serve) -> Caller:
    """A fresh node."""
    return Caller(serve().address)


@pytest.fixture
def member(serve) -> Caller:
    """The only node of redis-prod.example.com, whose administrator is maria."""
    caller = Caller(serve("member").address)
    caller.create()
    caller.wait_until("completed")
    return caller


@pytest.fixture(scope="module")
def idle_node(tmp_path_factory) -> Iterator[Caller]:
    """A shared fresh node, for requests that change nothing."""
    with background(Node(tmp_path_factory.mktemp("idle"))) as server:
        yield Caller(server.address)


@pytest.fixture(scope="module")
def lasting_member(tmp_path_factory) -> Iterator[Caller]:
    """A member, for requests that change nothing.

    It locks no account: tests that share it have more sign-ins refused than one client may.
    """
    traits = Traits(lockout=LockoutPolicy(threshold=0))
    with background(Node(tmp_path_factory.mktemp("member"), pace=0.04, traits=traits)) as server:
        caller = Caller(server.address)
        caller.create()
        caller.wait_until("completed")
        yield caller


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., RunningNode]]:
    """Start nodes as processes."""
    with ExitStack() as stack:

        def start_process(name: str = "node-1", **options: object) -> RunningNode:
            return stack.enter_context(start_node(tmp_path / name, **options))

        yield start_process


@pytest.fixture
def unused_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
