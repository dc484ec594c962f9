"""TLS servers on loopback that follow a script, to stand in for nodes and for other services.

A script is a function that takes a `Peer`, one for each connection.
"""

import datetime as dt
import json
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from setup_wizard.nodes.address import Address
from setup_wizard.nodes.certificates import Certificate, parse_certificate
from setup_wizard.nodes.guard import Endpoint

IDLE = {
    "bootstrap_status": {"state": "idle"},
    "local_node_info": {"software_version": "7.22.0-216", "cores": 4, "total_memory": 16_600_000_000},
}


class Identity:
    """A self-signed certificate with its key, for a server."""

    def __init__(self, name="redis-prod.example.com", alternatives=()):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=365))
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        signed = builder.sign(key, hashes.SHA256())
        self.der = signed.public_bytes(serialization.Encoding.DER)
        self.certificate: Certificate = parse_certificate(self.der)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.pem = signed.public_bytes(serialization.Encoding.PEM).decode()
        self.key = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "node.pem"
            path.write_text(self.pem + self.key)
            self.context.load_cert_chain(path)


@dataclass
class Received:
    """One request as the server read it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Peer:
    """The server's end of one connection."""

    socket: ssl.SSLSocket
    server: "Server"
    buffer: bytes = b""

    def read_request(self) -> Received | None:
        """Read one whole request; None when the client is gone."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._fill():
                return None
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            if not self._fill():
                return None
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        method, path, _ = first.split(" ")
        request = Received(method, path, headers, body)
        self.server.requests.append(request)
        return request

    def _fill(self) -> bool:
        data = self.socket.recv(65536)
        self.server.received += data
        self.buffer += data
        return bool(data)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)
        self.server.sent += len(data)

    def answer(self, status=200, document=None, **headers) -> None:
        self.send(answer(status, document, **headers))

    def drip(self, data: bytes, every: float) -> None:
        """Send byte by byte until the client closes."""
        for position in range(len(data)):
            self.send(data[position : position + 1])
            time.sleep(every)  # the drip itself is what is tested

    def reset(self) -> None:
        """Close with a TCP reset, as a crashed service does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close_tls(self) -> None:
        """Close with a TLS close message."""
        self.socket.settimeout(0.2)
        with suppress(OSError):
            self.socket.unwrap()


def answer(status=200, document=None, *, body=None, **headers) -> bytes:
    """Build an answer; `document` becomes JSON, `body` is used as is."""
    content = body if body is not None else b"" if document is None else json.dumps(document).encode()
    named = {"Content-Length": str(len(content))} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value is not None)
    return f"HTTP/1.1 {status} Words\r\n{head}\r\n".encode() + content


Script = Callable[[Peer], None]


@dataclass
class Server:
    """A listener on loopback that runs the script for each connection and records what it receives.

    Each new connection takes the next of the `upcoming` identities, while there are any.
    """

    script: Script
    identity: Identity = field(default_factory=Identity)
    upcoming: list[Identity] = field(default_factory=list)
    host: str = "127.0.0.1"
    wanted_port: int = 0
    connections: int = 0
    received: bytes = b""
    sent: int = 0
    requests: list[Received] = field(default_factory=list)

    def __post_init__(self):
        self.done = threading.Event()
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.wanted_port), family=family)
        self.port = self._listener.getsockname()[1]
        self.address = Address(self.host, self.port)
        self.endpoint = Endpoint(self.address, self.host, self.port)
        self._start(self._accept)

    @property
    def pins(self) -> set[str]:
        return {self.identity.certificate.fingerprint}

    @property
    def posts(self) -> list[Received]:
        return [request for request in self.requests if request.method == "POST"]

    def stop(self) -> None:
        self.done.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in self._threads)

    def _start(self, target, *args) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.upcoming:
                self.identity = self.upcoming.pop(0)
            self._start(self._run, plain)

    def _run(self, plain: socket.socket) -> None:
        plain.settimeout(10)
        with plain, suppress(OSError), self.identity.context.wrap_socket(plain, server_side=True) as wrapped:
            wrapped.settimeout(10)
            self.script(Peer(wrapped, self))


class PlainServer(Server):
    """The same without TLS."""

    def _run(self, plain: socket.socket) -> None:
        plain.settimeout(10)
        with plain, suppress(OSError):
            self.script(Peer(plain, self))


@contextmanager
def running(server: Server) -> Iterator[Server]:
    try:
        yield server
    finally:
        server.stop()


def wait_until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for a condition that another thread makes true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition is still false"
        time.sleep(0.005)


def idle_node(peer: Peer) -> None:
    """Answer every GET as a fresh node, every POST as a node that starts."""
    while request := peer.read_request():
        peer.answer(200, IDLE if request.method == "GET" else None)


def always(*answers: bytes) -> Script:
    """Make a script that sends one prepared answer to each request, and then repeats the last one."""

    def script(peer: Peer) -> None:
        left = list(answers)
        while peer.read_request():
            peer.send(left.pop(0) if len(left) > 1 else left[0])

    return script
