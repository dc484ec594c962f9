"""Run what was rendered: in Bash, and as a playbook."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

# hard to quote for a shell, for YAML and for Ansible's templates
PASSWORD = 'it\'s "$HOME" `id` \\n &{{ 7*7 }} [1] ü \t\n end'
USERNAME = "o'neil {{ 7*7 }} $(id)@example.com"
PLAYBOOK_SECONDS = 120
PROMPT = b"Password of the cluster's administrator"
# a child of its own session, whose terminal is its standard input
WITH_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Unsafe(str):
    """A text that Ansible does not evaluate."""

    __slots__ = ()


yaml.SafeDumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


def run_bash(script, **environment):
    return subprocess.run(
        ["/usr/bin/bash"],
        input=script.encode(),
        capture_output=True,
        env={"PATH": os.environ["PATH"], **environment},
        timeout=30,
        check=False,
    )


def ansible_command(*arguments):
    return [str(Path(sys.executable).parent / "ansible-playbook"), *map(str, arguments)]


def ansible_environment(directory):
    own = {"HOME": directory, "ANSIBLE_HOME": directory / ".ansible", "ANSIBLE_LOCAL_TEMP": directory / ".ansible/tmp"}
    quiet = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"PATH": path, "LC_ALL": "C.UTF-8", **quiet, **{name: str(value) for name, value in own.items()}}


def check_syntax(directory, playbooks):
    """Let Ansible read playbooks and run none of them."""
    files = [directory / f"{number}.yml" for number in range(len(playbooks))]
    for file, text in zip(files, playbooks, strict=True):
        file.write_text(text)
    return subprocess.run(
        ansible_command("--syntax-check", *files),
        capture_output=True,
        text=True,
        env=ansible_environment(directory),
        timeout=PLAYBOOK_SECONDS,
        check=False,
    )


def run_playbook(directory, playbook, **variables):
    """Run a playbook with its variables in a file."""
    (directory / "playbook.yml").write_text(playbook)
    unsafe = {name: Unsafe(value) for name, value in variables.items()}
    (directory / "variables.yml").write_text(yaml.safe_dump(unsafe, allow_unicode=True))
    return subprocess.run(
        ansible_command("--extra-vars", f"@{directory}/variables.yml", directory / "playbook.yml"),
        capture_output=True,
        text=True,
        env=ansible_environment(directory),
        timeout=PLAYBOOK_SECONDS,
        check=False,
    )


def type_password(directory, playbook, password):
    """Run a playbook in a terminal and type the password that it asks for; returns the exit code and the output."""
    (directory / "playbook.yml").write_text(playbook)
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", WITH_TERMINAL, *ansible_command(directory / "playbook.yml")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=ansible_environment(directory),
        start_new_session=True,
    )
    os.close(theirs)
    shown, typed = b"", False
    try:
        while piece := _read(ours):
            shown += piece
            if PROMPT in shown and shown.endswith(b": ") and not typed:
                os.write(ours, password.encode() + b"\n")
                typed = True
        return process.wait(PLAYBOOK_SECONDS), shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that nobody has the other end any more
        return b""
