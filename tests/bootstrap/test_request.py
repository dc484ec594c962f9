import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, Credentials, parse_request
from setup_wizard.bootstrap.secret import MASK, Secret
from tests.bootstrap.samples import CERTIFICATE, DOCUMENTED_CREATE, DOCUMENTED_JOIN, EVERYTHING, KEY, LICENSE, SECRETS

SPELLINGS = ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:db8:85a3::8a2e:370:7334")  # as documented, as sent


@pytest.mark.parametrize("document", [DOCUMENTED_JOIN, DOCUMENTED_CREATE, EVERYTHING])
def test_a_request_is_sent_as_it_was_read(document):
    document = json.loads(json.dumps(document).replace(*SPELLINGS))

    sent = parse_request(document).payload()

    assert sent == {key: value for key, value in document.items() if value != ""}
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent


def test_the_sample_has_every_field():
    def unset(shape):
        for name, value in shape:
            if isinstance(value, BaseModel):
                yield from unset(value)
            elif value is None or value in ("", (), {}):
                yield name

    request = parse_request(EVERYTHING)

    # a sign-in has one of two forms, and a new cluster has no members
    assert set(unset(request)) == {"nodes", "client_cert", "trusted_ca"}


def test_a_model_dumps_its_secrets_as_asterisks():
    credentials = parse_request(EVERYTHING).credentials

    assert credentials.model_dump()["password"] == MASK
    assert "correct horse" not in credentials.model_dump_json() + repr(credentials) + str(credentials.model_dump())


@pytest.mark.parametrize("change", [{"action": Action.JOIN}, {"license": ""}, {"credentials": None}])
def test_a_request_cannot_be_changed_in_place(change):
    request = parse_request(EVERYTHING)

    with pytest.raises(ValidationError, match="frozen"):
        setattr(request, *next(iter(change.items())))


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_in_the_payload_only(secret):
    request = parse_request(EVERYTHING)

    assert secret in json.dumps(request.payload())
    assert secret not in json.dumps(request.redacted())
    assert secret not in repr(request) + str(request) + f"{request}"


def test_a_client_key_is_hidden_but_not_its_certificate():
    by_certificate = {**DOCUMENTED_JOIN, "credentials": {"client_cert": CERTIFICATE, "client_key": KEY}}

    request = parse_request(by_certificate)

    assert request.payload()["credentials"] == {"client_cert": CERTIFICATE, "client_key": KEY}
    assert request.redacted()["credentials"] == {"client_cert": CERTIFICATE, "client_key": MASK}
    assert "MIIEvQ" not in repr(request)


def test_redacted_has_the_shape_of_the_payload():
    def shape(value):
        return {key: shape(item) for key, item in value.items()} if isinstance(value, dict) else type(value)

    request = parse_request(DOCUMENTED_CREATE | {"license": LICENSE})

    assert shape(request.redacted()) == shape(request.payload())
    assert request.redacted()["license"] == LICENSE


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=6).filter(
        lambda text: text not in MASK
    )
)
def test_no_password_of_any_kind_leaks(password):
    request = BootstrapRequest(
        action=Action.CREATE, credentials=Credentials(username="maria", password=Secret(password))
    )
    hidden = BootstrapRequest(action=Action.CREATE, credentials=Credentials(username="maria", password=Secret("other")))

    assert request.redacted() == hidden.redacted()
    assert repr(request) == repr(hidden)


def test_a_request_without_credentials_is_not_sent():
    request = parse_request(EVERYTHING).with_credentials(None)

    assert "credentials" not in request.redacted()
    assert not request.is_sendable
    with pytest.raises(ValueError, match="lacks its credentials"):
        request.payload()


def test_a_stored_request_is_complete_with_its_credentials():
    request = parse_request({**DOCUMENTED_CREATE, "license": LICENSE})
    stored = json.loads(json.dumps(request.redacted()))

    loaded = parse_request(stored, credentials_required=False)

    assert loaded.credentials is None
    assert loaded.with_credentials(request.credentials) == request


@pytest.mark.parametrize(
    "hidden", [{"witness_disk": {"token": MASK}}, {"user_defined_modules": ({"at": f"https://{MASK}@x"},)}]
)
def test_hidden_values_inside_objects_are_never_sent(hidden):
    request = parse_request(DOCUMENTED_CREATE).model_copy(update=hidden)

    assert not request.is_sendable


def test_a_password_can_start_with_asterisks():
    assert BootstrapRequest(
        action=Action.CREATE, credentials=Credentials(username="maria", password=Secret(MASK + "x"))
    ).is_sendable
