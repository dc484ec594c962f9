"""One request to another node, over HTTPS and with JSON in both directions."""

import asyncio
import json
import os
import socket
import ssl
from dataclasses import dataclass, field
from tempfile import NamedTemporaryFile

from setup_wizard.reference_node.errors import PeerUnreachable

ANSWER_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class Peer:
    """Another node: its address, and the time for its answer.

    `certificate` (PEM) is what it must show, or its issuer's; None: any. `client` is our client certificate with its
    key (PEM).
    """

    host: str
    port: int
    certificate: str | None = None
    seconds: float = 5.0
    client: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    async def post(self, path: str, authorization: str, document: object) -> tuple[int, object]:
        """Send a request and return the status code and the document, None when an error has none.

        Raises PeerUnreachable.
        """
        body = json.dumps(document).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self}\r\nAuthorization: {authorization}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        try:
            async with asyncio.timeout(self.seconds):
                reader, writer = await asyncio.open_connection(
                    self.host, self.port, ssl=self._context(), limit=ANSWER_LIMIT
                )
                try:
                    writer.write(head.encode("latin-1") + body)
                    return await _read_answer(reader)
                finally:
                    writer.transport.abort()
        except TimeoutError:
            raise PeerUnreachable(f"{self} did not answer within {self.seconds:g} s") from None
        except ssl.SSLError as error:
            if self.client and "ALERT" in (error.reason or ""):
                return 401, None  # how a node refuses a client certificate
            raise PeerUnreachable(f"{self} answers, but not with the TLS of a node of this cluster") from None
        except socket.gaierror:
            raise PeerUnreachable(f"{self.host} cannot be resolved to an address") from None
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else "the connection failed"
            raise PeerUnreachable(f"{self} cannot be reached: {reason}") from None
        except (ValueError, IndexError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
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
        if self.client:
            with NamedTemporaryFile() as file:  # which OpenSSL cannot do without
                file.write(self.client.encode())
                file.flush()
                context.load_cert_chain(file.name, password="")
        return context


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, object]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split(" ")[1])
    length = int(head.partition("\r\ncontent-length:")[2].partition("\r\n")[0] or 0)
    if length > ANSWER_LIMIT:
        raise ValueError("too long an answer")
    content = await reader.readexactly(length)
    try:
        return status, json.loads(content)
    except ValueError:
        if status == 200:
            raise
        return status, None  # such as the page of a gateway
