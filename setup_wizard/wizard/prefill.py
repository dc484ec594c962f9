"""A new draft from an attempt: the same again after a failure, or the next node of the same cluster."""

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib.auth.models import User

from setup_wizard.attempts.models import Attempt
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.rules import RuleError
from setup_wizard.nodes import probing
from setup_wizard.nodes.address import DEFAULT_PORT, Address, AddressInvalid
from setup_wizard.wizard import cards, document, drafts, steps
from setup_wizard.wizard.forms.node import check_uid
from setup_wizard.wizard.models import BASE, Draft


def again(attempt: Attempt, *, by: User, values: Mapping[str, str]) -> Draft:
    """Give `by` a draft with everything of the attempt but its password; `values` replaces parts of the request.

    The node, and a join's member, are asked now: where their certificates are approved, their steps are done.
    """
    draft = Draft(
        owner=by,
        action=attempt.action,
        address=_typed(attempt),
        accept_new_certificate=attempt.accept_new_certificate,
    )
    draft.data = document.decompose(draft, attempt.request)
    cluster = draft.data[_cluster_key(draft)]
    cluster["username"] = attempt.username
    if draft.wanted is Action.JOIN:
        cluster |= _way_to(attempt.member_address, cluster)
    for part, value in values.items():
        _replace(draft, part, value, by)
    _meet_node(draft, by)
    if attempt.member_address:
        _meet_member(draft, attempt.member_address, by)
    return drafts.add(draft)


def join(attempt: Attempt, *, by: User, address: str = "", replaces: str = "") -> Draft:
    """Give `by` a draft, not saved yet, that joins the node at `address` to the cluster of the succeeded attempt.

    `replaces` is the number of a failed node whose place it takes; what is no such number is left to be entered.
    """
    draft = Draft(owner=by, action=Action.JOIN, address=address[:300])
    identity = attempt.request.get("node", {}).get("identity", {})
    ip, port = _split(attempt.address)
    cluster = {
        "members": list(
            dict.fromkeys([identity.get("addr") or ip, *attempt.request.get("cluster", {}).get("nodes", ())])
        ),
        "port": port,
        "username": attempt.username,
    }
    draft.data = {"join": cluster | _way_to(attempt.address, cluster)}
    with suppress(RuleError):
        draft.data[BASE] = {"node": {"identity": {"uid": check_uid(replaces)}}}
    _meet_member(draft, attempt.address, by)
    return draft


def _cluster_key(draft: Draft) -> str:
    return steps.of(draft)[-1].form_class.key


def _typed(attempt: Attempt) -> str:
    try:
        return str(Address(attempt.host, _split(attempt.address)[1]))
    except AddressInvalid:
        return attempt.address


def _split(key: str) -> tuple[str, int]:
    address = Address.parse(key)
    return address.host, address.port


def _way_to(member: str, cluster: Mapping[str, Any]) -> dict[str, Any]:
    """Say how this page reaches the first member, when that is not its internal address."""
    try:
        first = str(ipaddress.ip_address(cluster["members"][0]))
    except (KeyError, IndexError, ValueError):
        return {"reach": ""}
    usual = str(Address(first, cluster.get("port") or DEFAULT_PORT))
    return {"reach": member if member and usual != member else ""}


def _replace(draft: Draft, part: str, value: str, by: User) -> None:
    """Put a value that a remedy offers into its field; one that the field refuses is left for the operator to enter."""
    found = steps.locate(draft, part)
    if not found or found[0] is steps.ACTION:
        return
    step, name = found
    field = step.form(draft, by).fields.get(name)
    if field is None or step.form_class.paths[name] != part or name in step.form_class.secret_fields:
        return
    try:
        draft.data[step.form_class.key][name] = field.clean(value)
    except forms.ValidationError:
        return


def _meet_node(draft: Draft, by: User) -> None:
    try:
        card = cards.show(probing.probe_node(draft.address, by=by))
    except probing.ProbeFailed:
        return
    if card.approval and card.is_ready:
        draft.probe = card.probe.as_json()
        draft.fingerprint = card.certificate.fingerprint
        # the attempt's page said why it failed, and its button led here
        draft.data[steps.ACTION.form_class.key] = {"read_failure": card.run if card.has_failed else ""}


def _meet_member(draft: Draft, address: str, by: User) -> None:
    try:
        card = cards.show(probing.probe_node(address, by=by))
    except probing.ProbeFailed:
        return
    if card.approval and card.is_member:
        draft.member_probe = card.probe.as_json()
        draft.member_fingerprint = card.certificate.fingerprint
