"""The results of a draft's checks as rows, which the page shows while they come in.

A run writes only to rows that name it, so that a later run is never overwritten. Results whose inputs have not changed
are used again for a new version of the draft while they are fresh.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from setup_wizard.attempts.models import PreflightResult
from setup_wizard.attempts.preflight.catalogue import CHECKS, title_of
from setup_wizard.attempts.preflight.check import Check
from setup_wizard.attempts.preflight.findings import Findings
from setup_wizard.attempts.preflight.inputs import Inputs
from setup_wizard.attempts.preflight.judging import applying
from setup_wizard.attempts.preflight.node_setup import NodeSetup
from setup_wizard.attempts.preflight.results import CheckOutcome, Level, Result
from setup_wizard.attempts.preflight.running import BUDGET, CheckRun
from setup_wizard.attempts.preflight.shared import SharedAnswers
from setup_wizard.bootstrap.error_catalogue import Figure, Remedy
from setup_wizard.nodes.probe import Probe

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

FRESH: Final = timedelta(seconds=60)
KEPT: Final = timedelta(days=30)  # as long as a draft
MAX_RUNS: Final = 16  # at a time in this process; others wait, and their time passes
_LATE: Final = timedelta(seconds=BUDGET + 1)  # a row that is pending for longer belongs to a process that died
_POLL: Final = 0.05

_threads: Final = ThreadPoolExecutor(MAX_RUNS, thread_name_prefix="preflight")


class _Keep(Enum):
    """Which earlier results with the same inputs are kept. Those that are running always are."""

    RUNNING = auto()  # no others
    ANSWERS = auto()  # fresh ones with an answer
    FRESH = auto()  # all fresh ones


@dataclass(frozen=True, slots=True)
class StoredRun:
    """The results for one version of a draft; those that need the operator come first."""

    outcomes: Sequence[CheckOutcome]
    checked_at: datetime | None
    token: str
    """Changes with every result."""

    @property
    def is_pending(self) -> bool:
        """Whether a result is still to come."""
        return any(each.result.level is Level.PENDING for each in self.outcomes)


def start(  # noqa: PLR0913 - whose checks, of what, and which answers stay
    owner: UUID, version: int, setup: NodeSetup, *, by: User, again: bool = False, shared: SharedAnswers | None = None
) -> None:
    """Begin the checks of a draft in the background, unless they are running.

    Fresh results with the same inputs are kept, unless the operator wants to check `again`. `shared` has answers
    in common with the checks of other nodes.
    """
    if checking := _begin(owner, version, setup, by, keep=_Keep.RUNNING if again else _Keep.ANSWERS, shared=shared):
        in_background(checking)


def complete(
    owner: UUID, version: int, setup: NodeSetup, *, by: User, shared: SharedAnswers | None = None
) -> tuple[Findings, list[CheckOutcome]]:
    """Give every result for Start: fresh ones as they are, running ones when they end, the rest by checking now."""
    ends_at = time.monotonic() + BUDGET
    while True:
        if checking := _begin(owner, version, setup, by, keep=_Keep.FRESH, shared=shared):
            checking()
        now, rows = timezone.now(), {row.name: row for row in _rows(owner, version)}
        if time.monotonic() > ends_at or not any(_is_running(row, now) for row in rows.values()):
            break
        time.sleep(_POLL)
    findings = Findings(node=_stored_probe(rows, "reachable"), member=_stored_probe(rows, "member"))
    return findings, [_outcome(row, now) for row in rows.values()]


def read(owner: UUID, version: int) -> StoredRun:
    """Read the results for a version of a draft."""
    return read_all([owner], version)[0]


def read_all(owners: Sequence[UUID], version: int) -> list[StoredRun]:
    """Read the results of several owners as `read` does, in one query."""
    now = timezone.now()
    found: dict[UUID, list[PreflightResult]] = {owner: [] for owner in owners}
    for row in PreflightResult.objects.filter(owner__in=owners, version=version):
        found[row.owner].append(row)
    return [_stored_run(_in_order(found[owner]), now) for owner in owners]


def _stored_run(rows: list[PreflightResult], now: datetime) -> StoredRun:
    outcomes = sorted((_outcome(row, now) for row in rows), key=lambda each: each.result.level.rank)
    states = sorted(f"{row.pk} {_outcome(row, now).result.level}" for row in rows)
    token = hashlib.sha256(" ".join(states).encode()).hexdigest()[:16]
    return StoredRun(outcomes, min((row.checked_at for row in rows), default=None), token)


def discard(owner: UUID) -> None:
    """Delete the results of a draft."""
    PreflightResult.objects.filter(owner=owner).delete()


def purge(now: datetime) -> int:
    """Delete results of drafts that are gone; return how many."""
    return PreflightResult.objects.filter(checked_at__lt=now - KEPT).delete()[0]


def in_background(work: Callable[[], None]) -> None:
    """Run the checks in a thread of their own, with a database connection of their own."""
    _threads.submit(_in_thread, work)


def _in_thread(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        logger.exception("preflight failed")
    finally:
        connections.close_all()


def _begin(  # noqa: PLR0913 - as `start`
    owner: UUID, version: int, setup: NodeSetup, by: User, *, keep: "_Keep", shared: SharedAnswers | None
) -> Callable[[], None] | None:
    """Write a pending row for each check that has to run; return the work, None when there is none."""
    run, now, inputs = uuid4(), timezone.now(), Inputs(setup)
    kept: list[PreflightResult] = []
    begun: dict[str, Check] = {}
    try:
        with transaction.atomic():
            latest = _latest(owner)
            if keep is _Keep.RUNNING and any(_is_running(row, now) for row in latest.values()):
                return None
            new_rows = []
            for check in applying(setup):
                row, digest = latest.get(check.name), inputs.digest(check)
                if row and row.digest == digest and _can_stay(row, version, now, keep):
                    kept.append(row)
                    continue
                begun[check.name] = check
                data = row.data if row else {}
                new_rows.append(
                    PreflightResult(
                        owner=owner, version=version, run=run, name=check.name, digest=digest, checked_at=now, data=data
                    )
                )
            PreflightResult.objects.filter(owner=owner).exclude(pk__in=[row.pk for row in kept]).delete()
            PreflightResult.objects.filter(pk__in=[row.pk for row in kept]).update(version=version)
            PreflightResult.objects.bulk_create(new_rows)
    except IntegrityError:
        return None  # another request has just begun them
    if not begun:
        return None
    rows = PreflightResult.objects.filter(owner=owner, run=run)
    checking = CheckRun(
        setup,
        by,
        checks=list(begun.values()),
        findings=Findings(earlier={row.name: row.data for row in new_rows if row.data}),
        known=[_outcome(row) for row in kept],
        shared=shared,
        record=partial(_record, rows),
    )
    return partial(_run, checking, rows)


def _run(checking: CheckRun, rows: "QuerySet[PreflightResult]") -> None:
    try:
        checking.run()
    finally:
        unfinished = rows.filter(level=Level.PENDING)
        unfinished.update(level=Level.NOT_CHECKED, message="This server failed to check it. Its log says why.")
        checking.finish()


def _record(rows: "QuerySet[PreflightResult]", results: Mapping[Check, Result | None]) -> None:
    with transaction.atomic():
        for check, result in results.items():
            rows.filter(name=check.name).update(**_columns(result))


def _rows(owner: UUID, version: int) -> list[PreflightResult]:
    return _in_order(PreflightResult.objects.filter(owner=owner, version=version))


def _in_order(rows: Iterable[PreflightResult]) -> list[PreflightResult]:
    order = {check.name: place for place, check in enumerate(CHECKS)}
    return sorted(rows, key=lambda row: order.get(row.name, len(order)))


def _latest(owner: UUID) -> dict[str, PreflightResult]:
    rows = PreflightResult.objects.select_for_update().filter(owner=owner).order_by("version")
    return {row.name: row for row in rows}


def _is_running(row: PreflightResult, now: datetime) -> bool:
    return row.level == Level.PENDING and now - row.checked_at < _LATE


def _is_fresh(row: PreflightResult, now: datetime) -> bool:
    return row.level != Level.PENDING and now - row.checked_at <= FRESH


def _can_stay(row: PreflightResult, version: int, now: datetime, keep: "_Keep") -> bool:
    if _is_running(row, now):
        return row.version == version
    if keep is _Keep.RUNNING or not _is_fresh(row, now):
        return False
    return keep is _Keep.FRESH or row.level != Level.NOT_CHECKED


def _stored_probe(rows: dict[str, PreflightResult], name: str) -> Probe | None:
    row = rows.get(name)
    try:
        return Probe.from_json(row.data["probe"]) if row and row.level != Level.PENDING else None
    except (KeyError, ValueError):
        return None


def _columns(result: Result | None) -> dict[str, Any]:
    """The columns of a result; an empty message is a check that has nothing to say."""
    found = result or Result(level=Level.PASSED, message="")
    return {
        "level": found.level,
        "message": found.message,
        "part": found.part,
        "can_override": found.can_override,
        "confirmation": found.confirmation,
        "remedies": [{**asdict(each), "values": dict(each.values)} for each in found.remedies],
        "figures": [asdict(each) for each in found.figures],
        "data": dict(found.data),
        "checked_at": timezone.now(),
    }


def _outcome(row: PreflightResult, now: datetime | None = None) -> CheckOutcome:
    level, message = Level(row.level), row.message
    if level is Level.PENDING and now and not _is_running(row, now):
        level, message = Level.NOT_CHECKED, "The check did not finish. Check again."
    result = Result(
        level=level,
        message=message,
        part=row.part,
        can_override=row.can_override,
        confirmation=row.confirmation,
        remedies=tuple(Remedy(**each) for each in row.remedies),
        figures=tuple(Figure(**each) for each in row.figures),
        data=row.data,
    )
    return CheckOutcome(row.name, title_of(row.name), result)
