"""A new draft from an attempt: a retry, or the next node of the same cluster."""

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib.auth.models import User

from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.rules import RuleError
from setup_wizard.live.fields import SignInBy
from setup_wizard.nodes import probing
from setup_wizard.nodes.address import DEFAULT_PORT, Address, AddressInvalid
from setup_wizard.wizard import drafts, request_mapping, steps
from setup_wizard.wizard.forms.node import check_uid
from setup_wizard.wizard.models import EXTRA, FILLED, Draft, without_flash
from setup_wizard.wizard.node_summary import NodeSummary, summarize


def retry(attempt: Attempt, *, by: User, values: Mapping[str, str]) -> Draft:
    """Save a draft with everything from the attempt; `values` replaces parts of the request.

    The person who started the attempt gets its credentials too, for 15 minutes after the failure.
    The node and the member are probed: where their certificates are approved, their steps are complete.
    """
    draft = Draft(
        owner=by,
        action=attempt.action,
        address=_typed_address(attempt),
        accept_new_certificate=attempt.accept_new_certificate,
    )
    draft.data = request_mapping.step_data(draft, attempt.request)
    cluster = draft.data[steps.for_draft(draft)[-1].form_class.key]
    cluster |= _sign_in(attempt, draft)
    if draft.chosen_action is Action.JOIN:
        cluster["member_address"] = _member_address(attempt.member_address, cluster)
    _probe_node(draft, by)  # the form of a step depends on what the node reports
    for part, value in values.items():
        _replace(draft, part, value, by)
    if attempt.member_address:
        _probe_member(draft, attempt.member_address, by)
    drafts.add(draft)
    if cluster.get("username", "") == attempt.username:  # neither has one beside a client certificate
        drafts.keep_credentials(draft, attempt)
    return draft


def join(attempt: Attempt, *, by: User, address: str = "", replaces: str = "") -> Draft:
    """Return an unsaved draft that joins the node at `address` to the cluster of the succeeded attempt.

    `replaces` is the ID of a failed node; an invalid one is left for the operator to enter.
    """
    draft = Draft(owner=by, action=Action.JOIN, address=address[:300])
    identity = attempt.request.get("node", {}).get("identity", {})
    first = Address.parse(attempt.address)
    members = [identity.get("addr") or first.host, *attempt.request.get("cluster", {}).get("nodes", ())]
    cluster = {"members": list(dict.fromkeys(members)), "port": first.port, **_sign_in(attempt, draft)}
    draft.data = {"join": {**cluster, "member_address": _member_address(attempt.address, cluster)}}
    with suppress(RuleError):
        draft.data[EXTRA] = {"node": {"identity": {"uid": check_uid(replaces)}}}
    _probe_member(draft, attempt.address, by)
    return draft


def _sign_in(attempt: Attempt, draft: Draft) -> dict[str, str]:
    """Return how the attempt signed in last, which only a join can choose."""
    by_certificate = draft.chosen_action is Action.JOIN and not attempt.username
    return {"username": attempt.username, **({"sign_in_by": SignInBy.CERTIFICATE.value} if by_certificate else {})}


def _typed_address(attempt: Attempt) -> str:
    try:
        return str(Address(attempt.host, Address.parse(attempt.address).port))
    except AddressInvalid:
        return attempt.address


def _member_address(member: str, cluster: Mapping[str, Any]) -> str:
    """Return how this server reaches the first member, if that differs from its internal address."""
    try:
        first = str(ipaddress.ip_address(cluster["members"][0]))
    except (KeyError, IndexError, ValueError):
        return ""
    usual = str(Address(first, cluster.get("port") or DEFAULT_PORT))
    return member if usual != member else ""


def _replace(draft: Draft, part: str, value: str, by: User) -> None:
    """Put the value of a remedy into its field and mark it, or leave the field as it is when it rejects the value."""
    found = steps.find_field(draft, part)
    if not found or found[0] is steps.ACTION:
        return
    step, name = found
    fields = step.form(draft, by).fields
    field = fields.get(name)
    if field is None or step.form_class.paths[name] != part or name in step.form_class.secret_fields:
        return
    typed = fields.get(f"other_{name}")  # beside a field of a few options, one for all others
    for each in filter(None, (field, typed)):
        with suppress(forms.ValidationError):
            draft.data[step.form_class.key][name] = each.clean(value)
            draft.data.setdefault(FILLED, {})[part] = value
            break
    if part == "node.paths.bigstore_path" and not value:
        draft.data[EXTRA] = without_flash(draft.values(EXTRA))
        for switch in ("bigstore_enabled", "bigstore_driver"):
            draft.data[step.form_class.key].pop(switch, None)


def _probe_node(draft: Draft, by: User) -> None:
    summary = _summary(draft.address, by)
    if summary and summary.approval and summary.is_ready:
        draft.probe = summary.probe.as_json()
        draft.fingerprint = summary.certificate.fingerprint
        # the page that led here has explained the failure
        known_failure = summary.bootstrap_start_time if summary.has_failed else ""
        draft.data[steps.ACTION.form_class.key] = {"known_failure": known_failure}


def _probe_member(draft: Draft, address: str, by: User) -> None:
    summary = _summary(address, by)
    if summary and summary.approval and summary.is_member:
        draft.member_probe = summary.probe.as_json()
        draft.member_fingerprint = summary.certificate.fingerprint


def _summary(address: str, by: User) -> NodeSummary | None:
    try:
        return summarize(probing.probe_node(address, by=by))
    except probing.ProbeFailed:
        return None
