"""One question to another node: a request over HTTPS, a JSON document back."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import h11

SECONDS = 5.0
ANSWER_LIMIT = 4 * 1024 * 1024


class PeerUnreachable(Exception):
    """No answer came, or none that can be read; the message says at which step."""


@dataclass(frozen=True)
class Peer:
    """Where another node listens, and the certificate that it must show (PEM; None takes any)."""

    host: str
    port: int
    certificate: str | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    async def ask(
        self, method: str, path: str, authorization: str, document: Mapping[str, object]
    ) -> tuple[int, object]:
        """Send one request and return the status and the document (None when there is none); raises PeerUnreachable."""
        try:
            async with asyncio.timeout(SECONDS):
                reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self._context())
                try:
                    return await self._exchange(reader, writer, method, path, authorization, document)
                finally:
                    writer.transport.abort()
        except TimeoutError:
            raise PeerUnreachable(f"{self} did not answer within {SECONDS:.0f} s") from None
        except ssl.SSLError:
            raise PeerUnreachable(f"{self} answers, but not with the TLS of a node of this cluster") from None
        except OSError as error:
            reason = error.strerror or "the connection failed"
            raise PeerUnreachable(f"{self} cannot be reached: {reason.lower()}") from None
        except (h11.ProtocolError, ValueError):
            raise PeerUnreachable(f"{self} answers, but not as a node does") from None

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = False  # members share one certificate, which names only the first
        if self.certificate is None:
            # a node that joins cannot know the cluster's certificate yet: it is what it joins to be given
            context.verify_mode = ssl.CERT_NONE
        else:
            context.load_verify_locations(cadata=self.certificate)
        return context

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        method: str,
        path: str,
        authorization: str,
        document: Mapping[str, object],
    ) -> tuple[int, object]:
        body = json.dumps(document).encode()
        connection = h11.Connection(h11.CLIENT)
        headers = [
            ("Host", quote(str(self), safe="[]:")),
            ("Authorization", authorization),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        for event in (
            h11.Request(method=method, target=path, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            writer.write(connection.send(event) or b"")
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
                return status, json.loads(answer) if status == 200 and answer else None
            elif isinstance(event, h11.ConnectionClosed):
                raise ValueError("closed without an answer")
