"""Set up a whole cluster from a file, in a terminal."""

import json
import stat
import sys
import time
from collections.abc import Mapping, Sequence
from getpass import getpass
from pathlib import Path
from typing import Any

import yaml
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from rich.console import Console
from rich.live import Live
from rich.table import Table

from setup_wizard.access.permissions import Permission
from setup_wizard.access.throttle import TooManyRequests
from setup_wizard.attempts.preflight import Level
from setup_wizard.bootstrap.strict_json import InvalidJson, read_json
from setup_wizard.clusters.decisions import PauseReason, RunState
from setup_wizard.clusters.document import InvalidPlan, read_document
from setup_wizard.clusters.engine import choices_of
from setup_wizard.clusters.host_snippet import host_command
from setup_wizard.clusters.models import Run
from setup_wizard.clusters.run_page import RunPage
from setup_wizard.clusters.whole_plans import (
    CheckedNode,
    ChecksFailed,
    WholePlan,
    check_whole_plan,
    read_whole_plan,
    start_whole_plan,
)
from setup_wizard.nodes import probing

SUCCEEDED, FAILED, BAD_INPUT, NEEDS_OPERATOR, INTERRUPTED = 0, 1, 2, 3, 130
POLL = 0.5
MAX_FILE = 1024 * 1024


class BadInput(Exception):
    """The file, the credentials or the user cannot be used; the message says why."""


class Command(BaseCommand):
    """Check a plan, start it, and show its progress until it has ended or needs an operator."""

    help = (
        "Set up a whole cluster from FILE (JSON or YAML: the body of POST /api/v1/plans, or an exported plan). "
        "Exit codes: 0 succeeded, 1 failed or stopped, 2 bad input, 3 needs the operator"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--user", required=True, metavar="NAME", help="the user who sets up the nodes")
        parser.add_argument(
            "--credentials-file",
            type=Path,
            metavar="FILE",
            help="JSON or YAML with username and password, or client_cert and client_key; only its owner may read it. "
            "Without it, the password is asked for",
        )
        parser.add_argument(
            "--host-facts",
            type=Path,
            metavar="FILE",
            help="what the command of --host-command printed; its findings are shown with the checks, and never block",
        )
        parser.add_argument(
            "--host-command",
            action="store_true",
            help="print a command that reads on each node, over ssh, what its API does not tell; start nothing",
        )
        parser.add_argument("--check", action="store_true", help="run every check, and start nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        # Rich would read ":AB:" of a fingerprint as the name of an emoji, and "[fd00::1]" as a style.
        self.console = Console(file=options.get("stdout"), emoji=False, highlight=False, markup=False)
        try:
            code = self._run(options)
        except BadInput as error:
            self._fail(str(error))
            code = BAD_INPUT
        except InvalidPlan as error:
            for path, messages in sorted(error.fields.items()):
                self._fail(f"{path or 'plan'}: {' '.join(messages)}")
            code = BAD_INPUT
        except (TooManyRequests, probing.TooManyProbes) as refusal:
            self._fail(refusal.message)
            code = FAILED
        sys.exit(code)

    @sensitive_variables()
    def _run(self, options: Mapping[str, Any]) -> int:
        user = _user(options["user"])
        document = _read(options["file"])
        if "credentials" in document:
            raise BadInput("Keep credentials out of the plan: use --credentials-file, or type the password.")
        if options["host_command"]:
            sys.stdout.write(f"{host_command(read_document(document))}\n")  # Rich would wrap or style it
            return SUCCEEDED
        if options["host_facts"]:
            document["host_facts"] = _text(options["host_facts"])
        document["credentials"] = self._credentials(options["credentials_file"], document)
        document["nodes"] = self._with_fingerprints(document.get("nodes"), user)
        plan = read_whole_plan(document)
        if options["check"]:
            nodes = check_whole_plan(plan, by=user)
            self._show_checks(nodes)
            return FAILED if any(node.refused for node in nodes) else SUCCEEDED
        return self._start(plan, user)

    @sensitive_variables()
    def _start(self, plan: WholePlan, user: User) -> int:
        try:
            run = start_whole_plan(plan, by=user)
        except ChecksFailed as error:
            self._show_checks(error.nodes)
            self._fail("Not started: a check failed. No node was changed.")
            return FAILED
        page = reverse("clusters:run", args=[run.pk])
        self._say(f"Started. The page of the run is {page}")
        try:
            return self._follow(run)
        except KeyboardInterrupt:
            self._say(f"The run goes on without this command. Follow it at {page}")
            return INTERRUPTED

    def _follow(self, run: Run) -> int:
        """Show the run until it has ended or is paused: as a live table, or as lines where there is no terminal."""
        headline = ""
        with Live(console=self.console, auto_refresh=False) as live:
            while True:
                shown = RunPage(Run.objects.select_related("plan", "started_by", "continued_by").get(pk=run.pk))
                if self.console.is_terminal:
                    live.update(_table(shown), refresh=True)
                elif shown.headline != headline:
                    headline = shown.headline
                    self._say(headline)
                if shown.run.status is not RunState.RUNNING:
                    break
                time.sleep(POLL)
        return self._end(shown)

    def _end(self, page: RunPage) -> int:
        if page.run.status is RunState.SUCCEEDED:
            self._say(f"{page.headline} after {page.duration}.")
            return SUCCEEDED
        if page.run.status is RunState.STOPPED:
            self._fail("The run was stopped.")
            return FAILED
        self._fail(f"Paused: {page.why_paused}.")
        if page.explanation:
            self._fail(f"{page.explanation.title}. {page.explanation.meaning}")
        choices = ", ".join(choice.label for choice in choices_of(page.progress))
        self._fail(f"Decide at {reverse('clusters:run', args=[page.run.pk])} ({choices}).")
        return FAILED if page.run.why is PauseReason.ATTEMPT_FAILED else NEEDS_OPERATOR

    @sensitive_variables()
    def _credentials(self, file: Path | None, document: Mapping[str, Any]) -> dict[str, Any]:
        if file:
            try:
                mode = stat.S_IMODE(file.stat().st_mode)
            except OSError as error:
                raise BadInput(f"{file} cannot be read: {error.strerror}.") from None
            if mode & 0o077:
                raise BadInput(f"Others may read {file} (mode {mode:04o}). Run `chmod 600 {file}` first.")
            return _read(file)
        if not sys.stdin.isatty():
            raise BadInput("There is no terminal to ask for the password. Use --credentials-file.")
        username = document.get("username") or input("User name of the cluster's administrator: ").strip()
        password = getpass("Password: ")
        if not document.get("members") and getpass("Repeat password: ") != password:
            raise BadInput("The passwords are different.")
        return {"username": username, "password": password}

    def _with_fingerprints(self, nodes: Any, user: User) -> Any:
        """Ask for the approval of each certificate that the file does not name."""
        if not isinstance(nodes, list):
            return nodes
        found = []
        for node in nodes:
            if isinstance(node, dict) and isinstance(node.get("address"), str) and not node.get("fingerprint"):
                found.append(node | {"fingerprint": self._ask_for_fingerprint(node["address"], user)})
            else:
                found.append(node)
        return found

    def _ask_for_fingerprint(self, address: str, user: User) -> str:
        if not sys.stdin.isatty():
            raise BadInput(f"The plan names no fingerprint of {address}, and there is no terminal to ask.")
        try:
            shown = probing.probe_node(address, by=user, in_plan=True).certificate.fingerprint
        except probing.TooManyProbes:
            raise
        except probing.ProbeFailed as failure:
            raise BadInput(f"{address}: {failure.message}") from None
        self._say(f"{address} shows this certificate (SHA-256). Compare it with the node itself:\n  {shown}")
        if input("Does it match? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise BadInput(f"The certificate of {address} was not approved.")
        return shown

    def _show_checks(self, nodes: Sequence[CheckedNode]) -> None:
        for node in nodes:
            problems = [each for each in node.outcomes if each.result.level is not Level.PASSED and each.result.message]
            self._say(f"{node.address}: {'ready' if not node.refused else 'not ready'}")
            for each in problems:
                self._say(f"  {each.result.level.value}  {each.name}: {each.result.message}")

    def _say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True)

    def _fail(self, text: str) -> None:
        self.stderr.write(text)


def _table(page: RunPage) -> Table:
    table = Table(title=page.page_title, title_justify="left", box=None, pad_edge=False)
    for name in ("", "Node", "State", "Details", "Time"):
        table.add_column(name)
    marks = {"done": "✓", "bad": "✗", "now": "…", "waits": "!", "skipped": "-"}
    for node in page.track:
        table.add_row(marks.get(node.mark, " "), node.node.planned.address, node.status, node.details, node.duration)
    return table


def _user(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise BadInput(f"There is no user {name}.")
    if not (user.is_active and user.has_perm(Permission.OPERATE)):
        raise BadInput(f"{name} may not set up nodes.")
    return user


@sensitive_variables()
def _content(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.") from None
    if len(content) > MAX_FILE:
        raise BadInput(f"{file} is larger than {MAX_FILE // 1024} KiB.")
    return content


def _text(file: Path) -> str:
    return _content(file).decode(errors="replace")


@sensitive_variables()
def _read(file: Path) -> dict[str, Any]:
    """Read one JSON or YAML object; the message of an error shows nothing of it."""
    content = _content(file)
    problem, document = "", None
    try:
        document = yaml.safe_load(content) if file.suffix in {".yml", ".yaml"} else read_json(content)
    except InvalidJson as error:
        problem = error.reason
    except (yaml.YAMLError, ValueError, RecursionError):
        problem = "not valid YAML"
    if problem:
        raise BadInput(f"{file} cannot be read: {problem}.")
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise BadInput(f"{file} must have one object.")
    plain: dict[str, Any] = json.loads(json.dumps(document, default=str))  # YAML has more types than JSON
    return plain
