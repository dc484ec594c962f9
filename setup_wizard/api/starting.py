"""From the JSON of a start to an attempt: the same probe, preflight and engine as behind the review page."""

from uuid import uuid4

from django.contrib.auth.models import User
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from setup_wizard.access import throttle
from setup_wizard.api.errors import Problem, in_bootstrap, invalid, invalid_bootstrap, too_many
from setup_wizard.api.schemas import StartSent, url_of
from setup_wizard.attempts import engine, preflight, vault, visibility
from setup_wizard.attempts.models import OPEN_STATES, Attempt
from setup_wizard.attempts.preflight import Check, Plan
from setup_wizard.attempts.timing import DRAFT_SECRET_LIFE
from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, Credentials, InvalidRequest, parse_request
from setup_wizard.bootstrap.text import clean
from setup_wizard.nodes import probing, trust
from setup_wizard.nodes.address import DEFAULT_PORT, Address
from setup_wizard.nodes.certificates import normalise_fingerprint
from setup_wizard.nodes.probe import Probe

MOST_MEMBERS_ASKED = 3
# where a check that is about a certificate wants another answer
_FIELDS = {"certificate": "fingerprint", "member_certificate": "member_fingerprint"}


@sensitive_variables()
def start(sent: StartSent, *, by: User) -> Attempt:
    """Begin what was sent.

    Raises:
        Problem: 422 when something in it, a node or a certificate forbids it, 409 when the node is taken, 429 when
            `by` starts or asks too often.
    """
    _admit(by)
    request, credentials = _read(sent)
    fingerprint = _fingerprint(sent.fingerprint, "fingerprint")
    member_fingerprint = _member_fingerprint(sent, request)
    probe = ask(sent.address, "address", by=by)
    member = _ask_member(request, by=by)
    _approve(probe, fingerprint, by=by)
    if member:
        member_fingerprint = _approve_member(member, member_fingerprint, by=by)
    plan = Plan(
        action=request.action,
        probe=probe,
        request=request,
        fingerprint=fingerprint,
        member=member,
        member_fingerprint=member_fingerprint,
        member_certificates=probing.fetch_certificates(_others(request, member), by=by)
        if member
        else probing.MemberCertificates(),
        accept_new_certificate=sent.accept_new_certificate,
    )
    _refuse_overrides(plan, sent.overrides)
    return _begin(plan, credentials, by)


@sensitive_variables()
def warnings_of(sent: StartSent) -> list[str]:
    """Say what a start has in it that may not be meant, and that no check before it names."""
    credentials = _read(sent)[1]
    return rules.warn_password_spelling(credentials.password.reveal()) if credentials.password else []


def ask(address: Address | str, path: str, *, by: User) -> Probe:
    """Ask a node who it is.

    Raises:
        Problem: 422 with why not at `path`, 429 when `by` asks too often.
    """
    try:
        return probing.probe_node(address, by=by)
    except probing.TooManyProbes as refusal:
        raise too_many(refusal.message, refusal.retry_after) from refusal
    except probing.ProbeFailed as refusal:
        raise Problem(422, refusal.code, refusal.message, {path: [refusal.message]}) from refusal


def _admit(by: User) -> None:
    try:
        engine.admit(by)
    except throttle.TooManyRequests as refusal:
        raise too_many(refusal.message, refusal.retry_after) from refusal


@sensitive_variables()
def _read(sent: StartSent) -> tuple[BootstrapRequest, Credentials]:
    try:
        request = parse_request(sent.bootstrap)
    except InvalidRequest as mistakes:
        raise invalid_bootstrap(mistakes) from None  # what lies behind it has the password
    credentials = request.credentials
    if credentials is None or not credentials.password:
        # the proof at the end is a sign-in with a name and a password
        message = "Sign in with a user name and a password: client certificates are not supported here."
        raise invalid({"bootstrap.credentials": [message]})
    return request.with_credentials(None), credentials


def _fingerprint(text: str, path: str) -> str:
    try:
        return normalise_fingerprint(text)
    except ValueError as error:
        raise invalid({path: [str(error)]}) from None


def _member_fingerprint(sent: StartSent, request: BootstrapRequest) -> str | None:
    if sent.member_fingerprint is None:
        return None
    if request.action is not Action.JOIN:
        raise invalid({"member_fingerprint": ["Only a join goes through a member. Leave this out."]})
    return _fingerprint(sent.member_fingerprint, "member_fingerprint")


def _ask_member(request: BootstrapRequest, *, by: User) -> Probe | None:
    """Ask the first member that answers."""
    if request.action is not Action.JOIN:
        return None
    port = request.cnm_https_port or DEFAULT_PORT
    path = in_bootstrap("cluster.nodes")
    silent: list[str] = []
    for host in request.cluster.nodes[:MOST_MEMBERS_ASKED]:
        try:
            return ask(str(Address(host.strip("[]"), port)), path, by=by)
        except Problem as problem:
            if problem.status != 422:
                raise
            silent.append(problem.message)
    raise Problem(422, "member_unreachable", "No member of the cluster could be asked.", {path: silent})


def _others(request: BootstrapRequest, member: Probe) -> list[Address]:
    """Give the members that a join names beside the one that was asked."""
    port = request.cnm_https_port or DEFAULT_PORT
    named = [Address(host.strip("[]"), port) for host in request.cluster.nodes]
    return [address for address in named if address != member.address]


def _approve(probe: Probe, fingerprint: str, *, by: User) -> None:
    """Keep the approval that lies in naming the certificate; one that is not shown is left to preflight."""
    if fingerprint == probe.certificate.fingerprint:
        trust.approve(probe.endpoint, probe.certificate, by=by)


def _approve_member(member: Probe, named: str | None, *, by: User) -> str:
    """Do the same for the member of a join; when none is named, its certificate must be approved already."""
    shown = member.certificate.fingerprint
    if named is None and not trust.is_approved(member.endpoint.key, shown):
        message = (
            f"The certificate of {member.address} has not been approved. Ask it with a probe, compare what it shows "
            "with the member itself, and name it here."
        )
        raise Problem(422, "certificate_not_approved", message, {"member_fingerprint": [message]})
    if named is not None:
        _approve(member, named, by=by)
    return named or shown


def _refuse_overrides(plan: Plan, names: list[str]) -> None:
    """Accept no check that blocks; one that does not needs no acceptance, and one that is not made is a mistake."""
    if not names:
        return
    checks = {check.name: check for check in preflight.check(plan)}
    wrong = [
        f"{clean(name, 64)} blocks the start and cannot be accepted."
        if name in checks
        else f"No check is called {clean(name, 64)}."
        for name in names
        if name not in checks or checks[name].blocks
    ]
    if wrong:
        raise invalid({"overrides": wrong})


@sensitive_variables()
def _begin(plan: Plan, credentials: Credentials, by: User) -> Attempt:
    owner = uuid4()
    vault.seal(owner, credentials, expires_at=timezone.now() + DRAFT_SECRET_LIFE)
    try:
        return engine.begin(plan, owner=owner, by=by)
    except engine.NodeBusy as error:
        raise _busy(error.attempt, by) from error
    except engine.PreflightFailed as error:
        raise _failed(plan, error.checks, by) from error
    finally:
        vault.discard(owner)  # begun or not, nothing is left lying


def _failed(plan: Plan, checks: list[Check], by: User) -> Problem:
    running = Attempt.objects.filter(address=plan.probe.endpoint.key, state__in=OPEN_STATES).first()
    if running:
        return _busy(running, by)  # whatever else is wrong comes of it
    fields: dict[str, list[str]] = {}
    for check in checks:
        if check.blocks:
            fields.setdefault(_path(check), []).append(check.message)
    names = ", ".join(check.name for check in checks if check.blocks)
    return Problem(422, "preflight_failed", f"Checks before the start forbid it: {names}.", fields)


def _path(check: Check) -> str:
    if check.name in _FIELDS:
        return _FIELDS[check.name]
    return check.part if check.part == "address" else in_bootstrap(check.part)


def _busy(attempt: Attempt, by: User) -> Problem:
    url = url_of(attempt) if visibility.sees(by, attempt) else ""
    message = f"A setup of {attempt.address} by {attempt.requested_by} has not ended yet{f': {url}' if url else '.'}"
    headers = {"Location": url} if url else {}
    return Problem(409, "node_busy", message, {"address": [message]}, headers=headers)
