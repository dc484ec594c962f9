"""Processes that start with our libraries in memory, because imports take most of the time of a start.

Each behaves like `python …` with the same arguments: none of our code is loaded before its start, and it has its own
environment and process ID.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType

# None of them may read Django's settings, which belong to the new process.
LIBRARIES = [
    *("celery.apps.worker", "celery.bin.celery", "celery.bin.worker", "celery.concurrency.thread"),
    *("celery.events.state", "celery.fixups.django", "celery.worker.components", "celery.worker.consumer"),
    *("cryptography.hazmat.primitives.ciphers.aead", "cryptography.x509", "django.contrib.admin.options"),
    *("django.contrib.sessions.backends.db", "django.contrib.staticfiles.finders"),
    *("django.core.cache.backends.redis", "django.core.handlers.asgi"),
    *("django.core.management.commands.makemigrations", "django.db.backends.sqlite3.base"),
    *("django.db.migrations.executor", "django.forms", "django.middleware.csrf", "django.views.debug", "jsonschema"),
    *("kombu.transport.redis", "prometheus_client", "psycopg", "pydantic.dataclasses", "pydantic.networks"),
    *("pydantic.type_adapter", "requests", "structlog", "uvicorn.lifespan.on", "uvicorn.main"),
    *("uvicorn.protocols.http.h11_impl", "whitenoise.middleware", "yaml"),
]

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(LIBRARIES)


class Fork:
    """A forked process with the interface of `subprocess.Popen`."""

    def __init__(self, words, *, cwd, env, log=None, talks=False):
        """`words` are those after `python`; the output is added to `log`.

        With `talks` it has `stdin` and `stdout`, and `log` gets only its errors.
        """
        self.stdin = self.stdout = None
        with ExitStack() as theirs:
            ends = []
            if talks:
                (heard, ours), (hears, said) = _context.Pipe(duplex=False), _context.Pipe(duplex=False)
                ends = [theirs.enter_context(heard), theirs.enter_context(said)]
                self.stdin, self.stdout = _file(ours, "w"), _file(hears, "r")
            self._process = _context.Process(
                target=_become, args=[list(map(str, words)), str(cwd), dict(env), log and str(log), ends], daemon=True
            )
            if log:
                Path(log).touch()  # a test may read it before the new process opens it
            with _without_a_program():
                self._process.start()

    @property
    def pid(self):
        return self._process.pid

    def poll(self):
        return self._process.exitcode

    def wait(self, timeout=None):
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout)
        return self.poll()

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def run(words, *, cwd, env, seconds=100):
    """Run a process to its end and return its output.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    process = Fork(words, cwd=cwd, env=env, talks=True)
    with process.stdin, process.stdout:
        said = process.stdout.read()
    if code := process.wait(seconds):
        error = subprocess.CalledProcessError(code, words, said)
        error.add_note(said)
        raise error
    return said


@contextmanager
def _without_a_program():
    """Keep multiprocessing from importing the main module in the new process."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def _file(connection, mode):
    """One end of a pipe as a text file."""
    with connection:
        return os.fdopen(os.dup(connection.fileno()), mode)


def _become(words, cwd, env, log, ends):
    """Continue like `python *words`."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    heard, said = [end.fileno() for end in ends] or [os.open(os.devnull, os.O_RDONLY), None]
    errors = said if log is None else os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number, descriptor in enumerate([heard, said or errors, errors]):
        os.dup2(descriptor, number)
    # the old ones belong to the old descriptors
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w", 1), os.fdopen(2, "w", 1)
    sys.path[:] = [cwd, *(path for path in sys.path if path not in {"", cwd})]
    sys.argv = words[words[0] == "-m" :]
    if words[0] == "-m":
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(words[0], run_name="__main__")
