"""One request to another node, over HTTPS and with JSON in both directions."""

import asyncio
import json
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import h11

from setup_wizard.reference_node.errors import PeerUnreachable

SECONDS = 5.0
ANSWER_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class Peer:
    """Another node: its address, the certificate that it must show (PEM; None: any) and the time for its answer."""

    host: str
    port: int
    certificate: str | None = None
    seconds: float = SECONDS

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    async def ask(
        self, method: str, path: str, authorization: str, document: Mapping[str, object]
    ) -> tuple[int, object]:
        """Send one request and return the status code and the document, which an error may not have.

        Raises PeerUnreachable.
        """
        body = json.dumps(document).encode()
        headers = [
            ("Host", str(self)),
            ("Authorization", authorization),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        try:
            request = h11.Request(method=method, target=path, headers=headers)
            async with asyncio.timeout(self.seconds):
                reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self._context())
                try:
                    return await _exchange(reader, writer, request, body)
                finally:
                    writer.transport.abort()
        except TimeoutError:
            raise PeerUnreachable(f"{self} did not answer within {self.seconds:g} s") from None
        except ssl.SSLError:
            raise PeerUnreachable(f"{self} answers, but not with the TLS of a node of this cluster") from None
        except socket.gaierror:
            raise PeerUnreachable(f"{self.host} cannot be resolved to an address") from None
        except OSError as error:
            raise PeerUnreachable(f"{self} cannot be reached: {describe_failure(error)}") from None
        except (h11.ProtocolError, ValueError):
            raise PeerUnreachable(f"{self} answers, but not as a node does") from None

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False  # members share a certificate that names the first
        if self.certificate is None:
            # a node that joins gets the cluster's certificate with the answer
            context.verify_mode = ssl.CERT_NONE
        else:
            context.load_verify_locations(cadata=self.certificate)
        return context


def describe_failure(error: OSError) -> str:
    """Why a connection failed, in the system's words."""
    return os.strerror(error.errno).lower() if error.errno else "the connection failed"


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request, body: bytes
) -> tuple[int, object]:
    connection = h11.Connection(h11.CLIENT)
    for part in (request, h11.Data(data=body), h11.EndOfMessage()):
        writer.write(connection.send(part) or b"")
    await writer.drain()
    status, answer = 0, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            answer += event.data
            if len(answer) > ANSWER_LIMIT:
                raise ValueError("too long an answer")
        elif isinstance(event, h11.EndOfMessage):
            return status, _read_document(status, answer)
        elif isinstance(event, h11.ConnectionClosed):
            raise ValueError("closed without an answer")


def _read_document(status: int, answer: bytes) -> object:
    try:
        document: object = json.loads(answer)
    except ValueError:
        if status == 200:
            raise
        return None  # such as the page of a gateway
    return document
