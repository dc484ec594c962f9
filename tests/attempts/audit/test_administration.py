"""The audit log in the admin site."""

import pytest
from django.contrib.auth.models import User

from setup_wizard.access import audit
from setup_wizard.access.audit import AuditEvent
from setup_wizard.access.audit_actions import AccessAudit
from setup_wizard.access.roles import Role, assign
from setup_wizard.attempts.audit_actions import AttemptAudit
from setup_wizard.nodes.audit_actions import NodeAudit

FINGERPRINT = "AB:CD:EF:01" + 28 * ":23"


def test_reviewer_searches_and_filters_the_audit_log(client, maria):
    rosa = assign(User.objects.create_user("rosa"), Role.REVIEWER)
    audit.record(AttemptAudit.START, by=maria, target=audit.Target("attempt", "1", "Create on 10.0.0.5:9443"))
    audit.record(AccessAudit.SIGN_OUT, by=rosa)
    client.force_login(rosa)

    found = client.get("/admin/access/auditevent/?q=10.0.0.5").text
    filtered = client.get("/admin/access/auditevent/?action=sign-out").text

    at = AuditEvent.objects.get(action=AttemptAudit.START).at
    assert "Create on 10.0.0.5:9443" in found
    assert "maria" in found
    assert f"{at.day} {at:%b %Y, %H:%M:%S} UTC</time>" in found
    assert "Create on 10.0.0.5:9443" not in filtered


def test_the_list_shows_how_the_fingerprint_begins(client, maria):
    audit.record(NodeAudit.TRUST, by=maria, target=audit.Target("node", "1", "10.0.0.5:9443"), fingerprint=FINGERPRINT)
    client.force_login(assign(User.objects.create_user("rosa"), Role.REVIEWER))

    page = client.get("/admin/access/auditevent/").text

    assert "10.0.0.5:9443<br><code>AB:CD:EF:01…</code>" in page


def test_filter_offers_the_actions_of_every_app(client, db):
    client.force_login(User.objects.create_superuser("root"))

    page = client.get("/admin/access/auditevent/").text

    for label in ("Signed out", "Approved a certificate", "Started a setup", "Exported attempts"):
        assert f">{label}</a>" in page


@pytest.mark.parametrize("way", ["add/", "{}/delete/", "{}/change/"])
def test_administration_cannot_change_audit_entries(client, maria, way):
    client.force_login(User.objects.create_superuser("root"))
    audit.record(AttemptAudit.START, by=maria)
    row = AuditEvent.objects.first()

    answer = client.post(f"/admin/access/auditevent/{way.format(row.pk)}", {"post": "yes", "user_name": "nobody"})

    assert answer.status_code == 403
    assert AuditEvent.objects.get(pk=row.pk).user_name == row.user_name
