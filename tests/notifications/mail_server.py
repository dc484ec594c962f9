"""A mail server on loopback that takes messages, or answers one command as a test wants."""

import socket
import threading
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy


class MailServer:
    """`messages` are those that it took, parsed; `answers` maps a command such as "RCPT" to another answer."""

    def __init__(self, **answers):
        self.messages, self.answers = [], answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self):
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(10)
            with connection, suppress(OSError), connection.makefile("rb") as lines:
                self._talk(connection, lines)

    def _talk(self, connection, lines):
        connection.sendall(b"220 mail.example.com\r\n")
        for line in lines:
            command = line.split()[0].decode().upper()
            said = self.answers.get(command) or {"DATA": "354 go on", "QUIT": "221 bye"}.get(command, "250 ok")
            connection.sendall(f"{said}\r\n".encode())
            if said.startswith("354"):
                body = b"".join(iter(lines.readline, b".\r\n"))
                self.messages.append(message_from_bytes(body, policy=policy.default))
                connection.sendall(b"250 taken\r\n")


@contextmanager
def mail_server(settings, **answers):
    """Run a server, and send to it."""
    server = MailServer(**answers)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
    settings.DEFAULT_FROM_EMAIL = "setup@example.com"
    try:
        yield server
    finally:
        server.stop()
