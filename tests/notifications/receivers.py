"""Receivers of webhooks: real https servers on loopback, whose certificates an authority of the tests signs."""

import base64
import datetime as dt
import hmac
import ipaddress
import json
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.nodes.servers import Server, answer

SLACK_PATH = "/services/T0000/B0000/tOp-SeCrEt-path-7f3a9c"
DAY = dt.timedelta(days=1)


class ServerAuthority:
    """An authority that signs certificates of servers; `path` is its certificate, as SSL_CERT_FILE names one."""

    def __init__(self, directory):
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority of the tests")])
        self.path = directory / "authority.pem"
        self.path.write_bytes(self._sign("Authority of the tests", self._key.public_key(), None))

    def identity(self, *names, ends=DAY):
        """A server's certificate for these names and addresses."""
        return SignedIdentity(self, names, ends)

    def _sign(self, name, public_key, names, ends=DAY):
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_general, names))), critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class SignedIdentity:
    """What a server of `tests.nodes.servers` needs."""

    def __init__(self, authority, names, ends):
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = authority._directory / f"server-{id(self)}.pem"
        path.write_bytes(authority._sign(names[0], key.public_key(), names, ends) + private)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path)


def _general(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Receiver:
    """A receiver that can be stopped and started again on the same port; `requests` are those of all its lives."""

    def __init__(self, identity, script):
        self._identity, self.script, self._requests = identity, script, []
        self._server = Server(script, identity=identity)
        self.port = self._server.port

    @property
    def requests(self):
        return [*self._requests, *self._server.requests]

    @property
    def connections(self):
        return self._server.connections

    def url(self, path=SLACK_PATH, host="127.0.0.1"):
        return f"https://{host}:{self.port}{path}"

    def stop(self):
        self._server.stop()

    def restart(self, script=None):
        self._requests += self._server.requests
        self._server = Server(script or self.script, identity=self._identity, wanted_port=self.port)


def accepting(peer):
    """Take every message."""
    while peer.read_request():
        peer.send(answer(200, body=b"ok"))


def answering(status, body=b"", **headers):
    """Answer every message with this status code."""

    def script(peer):
        while peer.read_request():
            peer.send(answer(status, body=body, **headers))

    return script


def verified(request, key):
    """Check the signature as a receiver does, by the specification alone; give the message."""
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    digest = hmac.new(base64.b64decode(key.removeprefix("whsec_")), signed, "sha256").digest()
    assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    return json.loads(request.body)
