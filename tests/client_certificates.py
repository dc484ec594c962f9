"""Client certificates that sign in at a cluster, and the authority that issues them."""

import datetime as dt
import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import requests
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.project.processes import wait_until
from tests.reference_node.running import start_node

YEAR = dt.timedelta(days=365)


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate and its key, both as PEM."""

    pem: str
    key: str

    @property
    def credentials(self) -> dict[str, str]:
        """How a bootstrap request has it."""
        return {"client_cert": self.pem, "client_key": self.key}


class Authority:
    """An authority that clusters can trust; `pem` is its certificate."""

    def __init__(self, name="Clients of redis-prod.example.com"):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.pem = self._sign(self._name, self._key.public_key(), dt.timedelta(0), YEAR, is_authority=True)

    def issue(self, name="admin@example.com", *, begins=dt.timedelta(0), lasts=YEAR):
        """A client certificate that is valid from now on, or at another time."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return ClientCertificate(
            self._sign(subject, key.public_key(), begins, lasts),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
        )

    def _sign(self, subject, public_key, begins, lasts, *, is_authority=False):
        start = dt.datetime.now(dt.UTC) + begins - dt.timedelta(minutes=5)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + lasts)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
            .decode()
        )


@contextmanager
def certified_node(directory, authority, **options):
    """A fresh node that will sign in holders of the authority's certificates only."""
    trusted = directory.with_suffix(".ca.pem")
    trusted.write_text(authority.pem)
    with start_node(directory, options=("--no-basic-auth", "--client-ca", str(trusted)), **options) as node:
        yield node


@contextmanager
def certified_cluster(directory, authority, *, bind="127.0.0.2", pace=0.02, port=0):
    """The only node of redis-prod.example.com, which signs in holders of the authority's certificates only."""
    with certified_node(directory, authority, bind=bind, pace=pace, port=port) as node:
        shown = directory.with_suffix(".client.pem")
        client = authority.issue()
        shown.write_text(client.pem + client.key)
        bootstrap = {
            "cluster": {"name": "redis-prod.example.com"},
            "credentials": {"username": "admin@example.com", "password": "nobody can use this"},
        }

        def ask(method, path, **options):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
                url = f"{node.url}/v1/bootstrap{path}"
                return requests.request(method, url, verify=False, timeout=10, cert=str(shown), **options)

        def is_completed():
            try:
                return ask("GET", "").json()["bootstrap_status"]["state"] == "completed"
            except (OSError, KeyError):  # the certificate is being replaced
                return False

        ask("POST", "/create_cluster", json=bootstrap).raise_for_status()
        wait_until(is_completed, seconds=15)
        yield node
