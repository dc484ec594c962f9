"""A gateway in front of a node that sends a request for a bootstrap twice by itself, and gives the second answer.

It shows the node's own certificate, as a gateway that only passes TLS on does: a client cannot tell them apart.
"""

import http.client
import ssl
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADDRESS = "127.0.0.98"
"""Where it sends the second one from, which the node's journal tells."""
CONTEXT = ssl._create_unverified_context()
ENDS_HERE = {"connection", "content-length", "date", "server", "transfer-encoding"}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, node, certificate):
        self.host, _, port = node.rpartition(":")
        self.port, self.certificate = int(port), certificate
        super().__init__((self.host, 0), Handler)

    def finish_request(self, request, client_address):
        """In a thread of its own; the certificate is read each time, because a bootstrap replaces it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        with suppress(OSError), context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 15

    def do_GET(self):
        self._give(self._pass_on(b""))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self._pass_on(body)
        if self.path.startswith("/v1/bootstrap/") and "/validate" not in self.path:
            answer = self._pass_on(body, sender=ADDRESS)
        self._give(answer)

    def _pass_on(self, body, sender=""):
        node, source = (self.server.host, self.server.port), (sender, 0) if sender else None
        connection = http.client.HTTPSConnection(*node, timeout=15, source_address=source, context=CONTEXT)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def _give(self, answer):
        status, headers, body = answer
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ENDS_HERE:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing: the node's journal tells."""


@contextmanager
def before(node, certificate):
    """Stand before a node with its certificate, a file that has the key too; gives where the gateway is reached."""
    server = Server(node, certificate)
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield f"{server.host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
