"""A PostgreSQL server for one run of the tests: `python -m tests.postgres [pytest's arguments]`.

It lives under var/postgres, on a port of its own, for as long as the tests run; a power cut may cost it everything,
which makes it fast. Whatever ends the run ends it too: pytest, Ctrl-C, or a SIGTERM.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from tests.project.processes import free_port

CLONE = Path(__file__).resolve().parents[1]
PLACE = CLONE / "var" / "postgres"
# Debian keeps them off PATH, one directory a version
PLACES = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin")
MISSING = """There is no PostgreSQL server here (initdb and pg_ctl were looked for).
Install one (Debian and Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17), or run this as root on
Debian, which installs it."""
# one database for each of pytest's workers, each with the connections of a test's own processes; nothing has to last
TUNING = (
    "-c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0"
    " -c max_connections=300 -c listen_addresses=127.0.0.1"
)


class Unavailable(Exception):
    """There is no server to start; the message says what to do."""


class Server:
    """A cluster of its own; `url` names a database that may be made and dropped."""

    def __init__(self, programs, place):
        self.programs, self.place = programs, place
        self.port, self.password = free_port(), secrets.token_urlsafe(16)
        # PostgreSQL refuses to run as root
        self.account = server_account() if os.geteuid() == 0 else None

    @property
    def url(self):
        return f"postgres://tester:{self.password}@127.0.0.1:{self.port}/postgres"

    def start(self):
        if (self.place / "data" / "postmaster.pid").exists():  # the run before was killed, and its server was not
            self.run(self.programs / "pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        if self.account:
            os.chown(self.place, self.account.pw_uid, self.account.pw_gid)
        if self.run("test", "-w", ".").returncode:
            raise Unavailable(f"{self.account.pw_name} cannot write to {self.place}: a directory above it is closed.")
        (self.place / "password").write_text(self.password)
        self.check(
            "initdb",
            "-D",
            "data",
            "-U",
            "tester",
            "-A",
            "scram-sha-256",
            "--pwfile",
            "password",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        )
        self.launch()

    def launch(self):
        """Start what was made, or start it again."""
        self.check("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", f"-p {self.port} -k '' {TUNING}", "start")

    def stop(self):
        self.run(self.programs / "pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.place, ignore_errors=True)

    def check(self, program, *arguments):
        done = self.run(self.programs / program, *arguments)
        if done.returncode:
            log = self.place / "log"
            raise Unavailable(f"{program} failed.\n{done.stdout}{log.read_text() if log.exists() else ''}")

    def run(self, *command):
        account = self.account and {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return subprocess.run(
            command,
            cwd=self.place,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"},
            **(account or {}),
        )


def server_account():
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def find_programs():
    """The newest server's programs, installed first where that can be done."""
    if found := installed():
        return found
    if os.geteuid() == 0 and Path("/etc/debian_version").exists():
        print("Installing PostgreSQL …", flush=True)
        # without a runlevel, Debian starts no server of its own
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for words in (["update"], ["install", "-y", "--no-install-recommends", "postgresql"]):
            subprocess.run(["apt-get", "-qq", *words], check=True, env=environment, stdin=subprocess.DEVNULL)
        if found := installed():
            return found
    raise Unavailable(MISSING)


def installed():
    if path := shutil.which("pg_ctl"):
        return Path(path).resolve().parent
    versions = [found for place in PLACES for found in Path("/").glob(place.lstrip("/")) if (found / "initdb").exists()]
    return max(versions, key=lambda found: float("".join(filter(str.isdigit, found.parent.name)) or 0), default=None)


@contextmanager
def serving(place=PLACE):
    server = Server(find_programs(), place)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def place_for_all():
    """Under var/, or beside the system's temporary files when the server's account cannot get there."""
    if os.geteuid() != 0:
        return PLACE
    PLACE.mkdir(parents=True, exist_ok=True)
    looked = subprocess.run(["test", "-x", str(PLACE)], check=False, user=server_account().pw_uid)
    return PLACE if looked.returncode == 0 else Path(tempfile.mkdtemp(prefix="setup-wizard-postgres-"))


def main(arguments):
    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        with serving(place_for_all()) as server:
            print(f"PostgreSQL answers on port {server.port}.", flush=True)
            environment = {**os.environ, "DATABASE_URL": server.url}
            return subprocess.run(
                [sys.executable, "-m", "pytest", *arguments], check=False, cwd=CLONE, env=environment
            ).returncode
    except Unavailable as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
