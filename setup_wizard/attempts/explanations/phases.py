"""Describe why a poll failed, what the node answered, and where to look while it works."""

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.observations import answered, phase_words
from setup_wizard.attempts.reducer.snapshot import HTTP
from setup_wizard.attempts.states import State
from setup_wizard.bootstrap.actions import Action


def silence(attempt: Attempt, *, with_text: bool = True) -> str:
    """Say why the last poll failed: "nothing answers on its port", "it answers 503: “…”".

    Without `with_text` the node's own text is left out.
    """
    phase = attempt.silent_phase
    if phase.startswith(HTTP):
        return f"it answers {answered(int(phase.removeprefix(HTTP)), attempt.silent_error_text if with_text else '')}"
    return phase_words(phase)


def answer(attempt: Attempt) -> str:
    """Give a sentence with the node's answer to the request; "" without an answer."""
    if not attempt.answer_status:
        return ""
    said = answered(attempt.answer_status, attempt.answer)
    return f" It answered {said}{'' if said.endswith('”') and attempt.answer.endswith('.') else '.'}"


def what_to_check(attempt: Attempt) -> tuple[str, ...]:
    """Say where to look while a node takes longer than usual."""
    if State.VERIFYING in {attempt.state, attempt.resume_state}:
        return ("On a node of the cluster, run `rladmin status nodes`.",)
    checks = (
        "On the node, look at the logs in `/var/opt/redislabs/log`.",
        "On the node, run `supervisorctl status`: all services should be RUNNING.",
    )
    if attempt.action == Action.JOIN and attempt.member_address:
        host, _, port = attempt.member_address.rpartition(":")
        return (*checks, f"Check whether the node reaches `{host.strip('[]')}` at port {port}.")
    return checks
