"""Signatures are those of the Standard Webhooks specification."""

from datetime import UTC, datetime

from setup_wizard.bootstrap.secret import Secret
from setup_wizard.notifications import secrets
from setup_wizard.notifications.signing import signed_headers


def test_signature_is_that_of_the_published_test_vector():
    """The values are those with which the libraries of the specification test themselves."""
    headers = signed_headers(
        Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC),
        b'{"test": 2432232314}',
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_new_key_is_another_one():
    first, second = secrets.make_key(), secrets.make_key()

    assert first != second
    assert first.reveal().startswith("whsec_")
