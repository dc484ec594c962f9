"""The credentials that are entered on the page of an attempt."""

import pytest

from setup_wizard.attempts.models import Attempt
from setup_wizard.live.forms import ClusterForm, CredentialsForm


@pytest.mark.parametrize("form_class", [CredentialsForm, ClusterForm])
@pytest.mark.parametrize(("password", "why"), [("CANARY" * 1000, "at most 4096"), ("CANARY\0", "Null characters")])
def test_an_invalid_password_is_refused_at_its_field(form_class, password, why):
    form = form_class({"username": "admin", "password": password, "consent": "on"}, attempt=Attempt(username="admin"))

    assert not form.is_valid()
    assert set(form.errors) == {"password"}
    assert why in form.errors["password"][0]
    assert "CANARY" not in str(form.errors)


def test_spaces_in_a_password_are_kept():
    form = CredentialsForm({"username": " admin ", "password": " correct horse\t"}, attempt=Attempt(username="admin"))

    assert form.is_valid()
    assert form.credentials.username == "admin"
    assert form.credentials.password.reveal() == " correct horse\t"
