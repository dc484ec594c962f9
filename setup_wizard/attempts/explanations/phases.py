"""Describe why a poll failed and what the node answered, as parts of a sentence about the node."""

from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.observations import answered, phase_words
from setup_wizard.attempts.reducer.snapshot import HTTP


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
