"""From the JSON of a start to an attempt, with the same probe, preflight and engine as the review page."""

from uuid import uuid4

from django.contrib.auth.models import User
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import throttle
from setup_wizard.api.attempt_schemas import OverrideIn, StartIn, url_of
from setup_wizard.api.errors import Problem, in_bootstrap, invalid, invalid_bootstrap, too_many
from setup_wizard.attempts import engine, vault, visibility
from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.attempts.preflight import CHECKS, CheckOutcome, CheckRun, Findings, NodeSetup, Reviewed
from setup_wizard.attempts.timing import DRAFT_SECRET_LIFE
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import (
    BootstrapRequest,
    Credentials,
    InvalidRequest,
    check_client_certificate,
    parse_request,
)
from setup_wizard.bootstrap.text import clean
from setup_wizard.nodes import probing, trust
from setup_wizard.nodes.address import DEFAULT_PORT, Address
from setup_wizard.nodes.certificates import normalise_fingerprint
from setup_wizard.nodes.probe import Probe

MAX_MEMBERS_PROBED = 3
# the request field of each check that is about a certificate
_FIELDS = {"certificate": "fingerprint", "member_certificate": "member_fingerprint"}


@sensitive_variables()
def start(body: StartIn, *, by: User) -> Attempt:
    """Run every check, and start the setup that `body` describes.

    Raises:
        Problem: 422 when the request, a node, a certificate or a check refuses it, 409 when the node is busy, 429 when
            `by` starts or probes too often.
    """
    _check_rate_limit(by)
    setup, run = _prepare(body, by=by, approves=True)
    outcomes = _run(run)
    reviewed = Reviewed(findings=run.findings, outcomes=outcomes, reasons=_reasons(outcomes, body.overrides))
    return _begin(setup, reviewed, by)


@sensitive_variables()
def check(body: StartIn, *, by: User) -> tuple[list[CheckOutcome], bool]:
    """Run every check and tell whether a start would be accepted; nothing is changed, and nothing is approved.

    Raises:
        Problem: as `start`.
    """
    _check_rate_limit(by)
    run = _prepare(body, by=by, approves=False)[1]
    outcomes = _run(run)
    reviewed = Reviewed(findings=run.findings, outcomes=outcomes, reasons=_reasons(outcomes, body.overrides))
    return outcomes, all(reviewed.allows(each) for each in outcomes)


@sensitive_variables()
def _prepare(body: StartIn, *, by: User, approves: bool) -> tuple[NodeSetup, CheckRun]:
    request, credentials = _read(body)
    fingerprint = _fingerprint(body.fingerprint, "fingerprint")
    member_fingerprint = _member_fingerprint(body, request)
    probe = probe_node(body.address, "address", by=by)
    member = _probe_member(request, by=by)
    if approves:
        _approve(probe, fingerprint, by=by)
    if member:
        member_fingerprint = _approve_member(member, member_fingerprint, by=by, approves=approves)
    if member and credentials.trusted_ca and (error := probing.find_chain_error(member, credentials.trusted_ca)):
        raise invalid({in_bootstrap("credentials.trusted_ca"): [error]})
    setup = NodeSetup(
        address=probe.address,
        request=request,
        fingerprint=fingerprint,
        members=(member.address, *_others(request, member)) if member else (),
        member_fingerprint=member_fingerprint,
        names_certificates=True,
        accept_new_certificate=body.accept_new_certificate,
        credentials=credentials,
    )
    return setup, CheckRun(setup, by, findings=Findings(node=probe, member=member))


def _run(run: CheckRun) -> list[CheckOutcome]:
    outcomes = run.run()
    run.finish()
    return outcomes


@sensitive_variables()
def warnings_of(body: StartIn) -> list[str]:
    """Warn about what is probably a mistake and no check reports."""
    credentials = _read(body)[1]
    return rules.warn_password_spelling(credentials.password.reveal()) if credentials.password else []


def probe_node(address: Address | str, path: str, *, by: User) -> Probe:
    """Probe a node.

    Raises:
        Problem: 422 with the reason at `path`, 429 when `by` probes too often.
    """
    try:
        return probing.probe_node(address, by=by)
    except probing.TooManyProbes as refusal:
        raise too_many(refusal.message, refusal.retry_after) from refusal
    except probing.ProbeFailed as refusal:
        raise Problem(422, refusal.code, refusal.message, {path: [refusal.message]}) from refusal


def _check_rate_limit(by: User) -> None:
    try:
        engine.count_start(by)
    except throttle.TooManyRequests as refusal:
        raise too_many(refusal.message, refusal.retry_after) from refusal


@sensitive_variables()
def _read(body: StartIn) -> tuple[BootstrapRequest, Credentials]:
    try:
        request = parse_request(body.bootstrap)
    except InvalidRequest as mistakes:
        raise invalid_bootstrap(mistakes) from None  # the original exception has the password
    credentials = request.credentials
    if credentials is None or not (credentials.password or request.action is Action.JOIN):
        # the final check with the cluster needs an account
        message = "Enter a user name and a password. Only a join can sign in with a client certificate."
        raise invalid({"bootstrap.credentials": [message]})
    if credentials.client_cert:
        try:
            check_client_certificate(credentials, timezone.now())
        except InvalidRequest as mistakes:
            raise invalid(
                {in_bootstrap(f"credentials.{name}"): texts for name, texts in mistakes.fields.items()}
            ) from None
    return request.with_credentials(None), credentials


def _fingerprint(text: str, path: str) -> str:
    try:
        return normalise_fingerprint(text)
    except ValueError as error:
        raise invalid({path: [str(error)]}) from None


def _member_fingerprint(body: StartIn, request: BootstrapRequest) -> str | None:
    if body.member_fingerprint is None:
        return None
    if request.action is not Action.JOIN:
        raise invalid({"member_fingerprint": ["Only a join has a member. Leave this out."]})
    return _fingerprint(body.member_fingerprint, "member_fingerprint")


def _probe_member(request: BootstrapRequest, *, by: User) -> Probe | None:
    """Probe the first member that answers."""
    if request.action is not Action.JOIN:
        return None
    port = request.cnm_https_port or DEFAULT_PORT
    path = in_bootstrap("cluster.nodes")
    failures: list[str] = []
    for host in request.cluster.nodes[:MAX_MEMBERS_PROBED]:
        try:
            return probe_node(str(Address(host.strip("[]"), port)), path, by=by)
        except Problem as problem:
            if problem.status != 422:
                raise
            failures.append(problem.message)
    raise Problem(422, "member_unreachable", "No member of the cluster answered.", {path: failures})


def _others(request: BootstrapRequest, member: Probe) -> list[Address]:
    """Return the members of a join other than the probed one."""
    port = request.cnm_https_port or DEFAULT_PORT
    named = [Address(host.strip("[]"), port) for host in request.cluster.nodes]
    return [address for address in named if address != member.address]


def _approve(probe: Probe, fingerprint: str, *, by: User) -> None:
    """Approve the named certificate if the node shows it; otherwise preflight refuses it."""
    if fingerprint == probe.certificate.fingerprint:
        trust.approve(probe.endpoint, probe.certificate, by=by)


def _approve_member(member: Probe, named: str | None, *, by: User, approves: bool) -> str:
    """Approve the member's certificate; if none is named, it must be approved already."""
    shown = member.certificate.fingerprint
    if named is None and not trust.is_approved(member.endpoint.key, shown):
        message = (
            f"The certificate of {member.address} is not approved. Probe the member, compare the fingerprint with the "
            "member itself, and name it here."
        )
        raise Problem(422, "certificate_not_approved", message, {"member_fingerprint": [message]})
    if named is not None and approves:
        _approve(member, named, by=by)
    return named or shown


def _reasons(outcomes: list[CheckOutcome], overrides: list[str | OverrideIn]) -> dict[str, str]:
    """Give the reason for each accepted check; refuse checks that block, and names that are no check."""
    reasons = {}
    for each in overrides:
        name, reason = (each, "") if isinstance(each, str) else (each.name, each.reason)
        reasons[name] = reason.strip()
    known, results = {check.name for check in CHECKS}, {each.name: each.result for each in outcomes}
    wrong = [
        f"{clean(name, 64)} blocks the start and cannot be overridden."
        if name in known
        else f"There is no check named {clean(name, 64)}."
        for name in reasons
        if name not in known or (name in results and results[name].blocks)
    ]
    if wrong:
        raise invalid({"overrides": wrong})
    return reasons


@sensitive_variables()
def _begin(setup: NodeSetup, reviewed: Reviewed, by: User) -> Attempt:
    secret_id = uuid4()
    vault.seal(secret_id, setup.credentials or Credentials(), expires_at=timezone.now() + DRAFT_SECRET_LIFE)
    try:
        return engine.begin(setup, reviewed, secret_id=secret_id, by=by)
    except engine.NodeBusy as error:
        raise _busy(error.attempt, by) from error
    except engine.PreflightFailed as error:
        raise _preflight_failed(reviewed, error.outcomes, by) from error
    finally:
        vault.discard(secret_id)  # also when the start was refused


def _preflight_failed(reviewed: Reviewed, outcomes: list[CheckOutcome], by: User) -> Problem:
    node = reviewed.findings.node.endpoint.key if isinstance(reviewed.findings.node, Probe) else ""
    running = Attempt.objects.filter(address=node, state__in=OPEN_STATES).first()
    if running:
        return _busy(running, by)  # the other failures follow from this one
    fields: dict[str, list[str]] = {}
    refused = [each for each in outcomes if not reviewed.allows(each)]
    for each in refused:
        advice = "" if each.result.blocks else f" To start anyway, name {each.name} in overrides."
        fields.setdefault(path_of(each), []).append(f"{each.result.message}{advice}")
    names = ", ".join(each.name for each in refused)
    return Problem(422, "preflight_failed", f"These checks failed: {names}.", fields)


def path_of(outcome: CheckOutcome) -> str:
    """Give the field of the call that a check is about; "bootstrap" when it is about none."""
    if outcome.name in _FIELDS:
        return _FIELDS[outcome.name]
    part = outcome.result.part
    return part if part == "address" else in_bootstrap(part)


def _busy(attempt: Attempt, by: User) -> Problem:
    url = url_of(attempt) if visibility.sees(by, attempt) else ""
    message = f"A setup of {attempt.address} by {attempt.requested_by} is running{f': {url}' if url else '.'}"
    headers = {"Location": url} if url else {}
    return Problem(409, "node_busy", message, {"address": [message]}, headers=headers)
