"""What the pages of runs and clusters and the home page watch, and the runs that wait for an operator."""

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Max

from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.clusters import inventory
from setup_wizard.clusters.decisions import RunState
from setup_wizard.clusters.models import OPEN_RUNS, Cluster, Plan, Run, RunStep
from setup_wizard.live import action_needed, topics
from setup_wizard.live.topics import Cursor, TopicKind
from setup_wizard.wizard.topics import draft_parts

HOME, RUN, CLUSTER = "home", "run", "cluster"


def register() -> None:
    """Let pages watch these topics, and count paused runs."""
    topics.register(TopicKind(RUN, _find_run, _read_runs, follows_all=True))
    topics.register(TopicKind(CLUSTER, _find_cluster, _read_clusters))
    topics.register(TopicKind(HOME, topics.person_for, _read_home))
    action_needed.register(paused_runs)


def paused_runs() -> dict[UUID, set[UUID]]:
    """Return the paused runs, each with its attempts."""
    found: dict[UUID, set[UUID]] = {}
    for run, attempt in Run.objects.filter(state=RunState.PAUSED).values_list("pk", "steps__attempt_id"):
        found.setdefault(run, set()).add(attempt)
    return found


def _find_run(_: User, wanted: str) -> str | None:
    pk = topics.id_of(wanted)
    return str(pk) if pk and Run.objects.filter(pk=pk).exists() else None


def _find_cluster(user: User, wanted: str) -> str | None:
    pk = topics.id_of(wanted)
    return str(pk) if pk and inventory.visible_clusters(user).filter(pk=pk).exists() else None


def _read_runs(keys: Collection[str]) -> dict[str, Cursor]:
    steps = [
        *RunStep.objects.filter(run__in=[UUID(key) for key in keys]).values_list(
            "run", "attempt_id", "skip_requested", "skipped_at"
        )
    ]
    attempts = Attempt.objects.filter(pk__in={step[1] for step in steps})
    last_seq = dict(attempts.values_list("pk", "last_seq"))
    runs = Run.objects.filter(pk__in=[UUID(key) for key in keys]).values_list(
        "pk", "last_seq", "state", "pause_requested"
    )
    return {
        str(run): Cursor(
            topics.number_of([seq, state, asked, *((step, last_seq.get(step[1])) for step in steps if step[0] == run)]),
            not RunState(state).is_final,
        )
        for run, seq, state, asked in runs
    }


def _read_clusters(keys: Collection[str]) -> dict[str, Cursor]:
    rows = Cluster.objects.filter(pk__in=keys)
    found = list(rows.values_list("pk", "name", "changed_at", "checked_at", "dns_checked_at"))
    attempts = [*Attempt.objects.filter(state__in=OPEN_STATES).values_list("cluster_name", "pk", "last_seq")]
    return {
        str(cluster[0]): Cursor(
            topics.number_of(
                [*cluster, *_run_parts(), *(each for each in attempts if each[0].lower() == cluster[1].lower())]
            )
        )
        for cluster in found
    }


def _read_home(keys: Collection[str]) -> dict[str, Cursor]:
    unstarted = Plan.objects.filter(run=None).aggregate(Count("pk"), Max("updated_at"))
    clusters = Cluster.objects.aggregate(Count("pk"), Max("changed_at"), Max("checked_at"))
    shared = [unstarted, clusters, *_run_parts()]

    def own_parts(people: Collection[str]) -> dict[str, object]:
        drafts = draft_parts(people)
        return {person: [*shared, drafts.get(person)] for person in people}

    return topics.read_for_people(keys, own_parts)


def _run_parts() -> list[object]:
    runs = Run.objects.filter(state__in=OPEN_RUNS).order_by("pk")
    return [*runs.values_list("pk", "last_seq", "state", "pause_requested")]
