"""The credentials that are entered on the page of an attempt."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from setup_wizard.attempts.models import Attempt
from setup_wizard.live.forms import ClusterForm, CredentialsForm
from tests.client_certificates import Authority


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


ANNA = Authority().issue("anna@example.com")
BY_CERTIFICATE = {"sign_in_by": "certificate", "username": "admin", "password": "ignored", "consent": "on"}


@pytest.mark.parametrize("form_class", [CredentialsForm, ClusterForm])
def test_a_client_certificate_is_read_from_text_or_file(form_class):
    text = {"client_cert": ANNA.pem, "client_key": ANNA.key}
    files = {f"{name}_file": SimpleUploadedFile("a.pem", pem.encode()) for name, pem in text.items()}
    attempt = Attempt(username="admin")

    typed = form_class(BY_CERTIFICATE | text, attempt=attempt)
    chosen = form_class(BY_CERTIFICATE, files, attempt=attempt)

    for form in (typed, chosen):
        assert form.is_valid(), form.errors
        assert form.credentials.client_key.reveal() == ANNA.key.strip()
        assert (form.credentials.username, bool(form.credentials.password)) == ("", False)


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({"client_cert": ANNA.pem}, "client_key"),
        ({"client_cert": ANNA.pem, "client_key": Authority().issue().key}, "client_key"),
        ({"client_key": ANNA.key}, "client_cert"),
    ],
)
def test_a_client_certificate_that_cannot_sign_in_is_refused(entered, field):
    form = CredentialsForm(BY_CERTIFICATE | entered, attempt=Attempt(username="admin"))

    assert not form.is_valid()
    assert set(form.errors) == {field}
