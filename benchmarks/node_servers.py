"""Many nodes in one process: some answer at once, some accept connections and never answer.

`python -m benchmarks.node_servers ANSWERING HANGING` prints their ports and the fingerprint of the certificate as JSON.
"""

import asyncio
import json
import sys
from contextlib import suppress

from tests.nodes.servers import Identity

STATUS = {
    "bootstrap_status": {"state": "creating_cluster", "start_time": "2026-11-23T14:02:04Z"},
    "local_node_info": {"software_version": "7.22.0-216", "cores": 4, "total_memory": 16_600_000_000},
}
BODY = json.dumps(STATUS).encode()
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()


async def answer(reader, writer):
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + BODY)
        await writer.drain()
        await reader.read()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def hang(reader, writer):
    with suppress(ConnectionResetError):  # our client resets the connection when it gives up
        await reader.read()
    writer.close()


async def main(answering, hanging):
    identity = Identity()
    healthy = [await asyncio.start_server(answer, "127.0.0.1", 0, ssl=identity.context) for _ in range(answering)]
    silent = [await asyncio.start_server(hang, "127.0.0.1", 0) for _ in range(hanging)]
    ports = {
        "answering": [server.sockets[0].getsockname()[1] for server in healthy],
        "hanging": [server.sockets[0].getsockname()[1] for server in silent],
        "fingerprint": identity.certificate.fingerprint,
    }
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
