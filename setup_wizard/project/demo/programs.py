"""The programs that the demo runs, with their arguments and environments."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from setup_wizard.project.demo import broker
from setup_wizard.project.demo.directory import Directory
from setup_wizard.project.demo.ports import Address, Addresses
from setup_wizard.project.demo.runner import Program

# paths, time zone and language: no program gets any other variable of the shell
PASSED_TO_ALL = ("PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE")
PASSED_TO_OURS = (
    "DEBUG",
    "LOG_LEVEL",
    "SETUP_WIZARD_DEADLINE_SECONDS",
    "SETUP_WIZARD_ALLOWED_NETWORKS",
    "SETUP_WIZARD_WEBHOOK_NETWORKS",
    "SSL_CERT_FILE",
)


@dataclass(frozen=True, slots=True)
class Node:
    """One reference node: its program, its address and its data."""

    program: Program
    address: Address
    data: Path

    @property
    def journal(self) -> Path:
        return self.data / "journal.jsonl"

    @property
    def certificate(self) -> Path:
        """The node's own file, with its key."""
        return self.data / "certificate.pem"


@dataclass(frozen=True, slots=True)
class Programs:
    """Every program of a demo; `environment` is that of `make demo`."""

    directory: Directory
    addresses: Addresses
    environment: Mapping[str, str]

    def broker(self) -> Program | None:
        """The Redis or Valkey server; none when `REDIS_URL` names one.

        Raises:
            CannotStartError: no server was found.
        """
        if self._redis_url:
            return None
        server = broker.find_server(self.environment)
        socket = self.directory.socket()
        self.directory.make_socket_directory(socket)
        arguments = broker.server_arguments(server, socket, self.directory.path / "valkey")
        return Program("valkey", arguments, self._plain(), stops_last=True)

    def nodes(self) -> tuple[Node, ...]:
        return tuple(self._node(number) for number in range(1, len(self.addresses.nodes) + 1))

    def open_demo(self) -> Program:
        """Migrates, collects the static files, writes an API token to a file, prints the path of a sign-in link."""
        return self._manage("open_demo", str(self.directory.path / "api-token"))

    def sign_in_link(self) -> Program:
        return self._manage("sign_in_link")

    def web(self) -> Program:
        host, port = self.addresses.web.host, str(self.addresses.web.port)
        return self._python("web", "setup_wizard.project.web", "--host", host, "--port", port)

    def worker(self) -> Program:
        return self._python(
            "worker",
            *("celery", "--quiet", "-A", "setup_wizard.project", "worker", "-P", "threads", "-c", "32"),
            *("--without-gossip", "--without-mingle"),
            REMAP_SIGTERM="SIGQUIT",
        )

    def supervisor(self) -> Program:
        return self._manage("supervise", name="supervisor")

    @property
    def _redis_url(self) -> str:
        return self.environment.get("REDIS_URL", "").strip()

    def _node(self, number: int) -> Node:
        address = self.addresses.nodes[number - 1]
        data = self.directory.path / "nodes" / str(number)
        arguments = ("--bind", address.host, "--port", str(address.port), "--data", str(data))
        program = Program(
            f"node-{number}",
            (sys.executable, "-m", "setup_wizard.reference_node", *arguments),
            {**self._plain(), "PYTHONUNBUFFERED": "1"},
            stops_last=True,
        )
        return Node(program, address, data)

    def _manage(self, command: str, *arguments: str, name: str | None = None) -> Program:
        return Program(name or command, (sys.executable, "manage.py", command, *arguments), self._ours())

    def _python(self, name: str, module: str, *arguments: str, **environment: str) -> Program:
        return Program(name, (sys.executable, "-m", module, *arguments), {**self._ours(), **environment})

    def _plain(self) -> dict[str, str]:
        return {name: self.environment[name] for name in PASSED_TO_ALL if name in self.environment}

    def _ours(self) -> dict[str, str]:
        """The environment of the product: files hold the secrets, because `ps` shows arguments and variables."""
        return {
            **self._plain(),
            **{name: self.environment[name] for name in PASSED_TO_OURS if name in self.environment},
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "setup_wizard.project.settings",
            "SECRET_KEY_FILE": str(self.directory.secret_key()),
            "SETUP_WIZARD_CREDENTIAL_KEYS_FILE": str(self.directory.credential_key()),
            "DATABASE_URL": f"sqlite:///{quote(str(self.directory.database))}",
            "REDIS_URL": self._redis_url or f"unix://{self.directory.socket()}?db=0",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "SETUP_WIZARD_DEMO": "true",
            "SETUP_WIZARD_DEMO_DIRECTORY": str(self.directory.path),
            "SETUP_WIZARD_HTTPS": "false",
            "SETUP_WIZARD_ALLOW_LOOPBACK": "true",
            "SETUP_WIZARD_ALLOWED_PORTS": ",".join(str(port) for port in self._node_ports),
            "SETUP_WIZARD_WEB_ADDRESS": str(self.addresses.web),
            "SETUP_WIZARD_PAGES_URL": f"http://{self.addresses.web}",
            "SETUP_WIZARD_NODES": ",".join(map(str, self.addresses.nodes)),
        }

    @property
    def _node_ports(self) -> list[int]:
        return sorted({address.port for address in self.addresses.nodes})
