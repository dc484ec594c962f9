"""The password is in no response and no log."""

import json
import logging

from setup_wizard.attempts.models import Attempt
from tests.api.conftest import joining
from tests.attempts.conftest import PASSWORD, follow


def test_the_password_is_in_no_response_and_no_log(api, maria, member, fresh_node, caplog):
    caplog.set_level(logging.DEBUG)
    document = joining(fresh_node, member)
    wrongly_placed = [
        {**document, "password": PASSWORD},
        {**document, "fingerprint": PASSWORD * 4},
        {**document, "accept_new_certificate": PASSWORD},
        {**document, "overrides": [[PASSWORD]]},
        {**document, "bootstrap": {**document["bootstrap"], "credentials": {"username": 7, "password": [PASSWORD]}}},
        {**document, "bootstrap": {**document["bootstrap"], "credentials": PASSWORD}},
        {**document, "bootstrap": PASSWORD},
    ]

    refused = [api.post("/attempts", wrong).status_code for wrong in wrongly_placed]
    started = api.post("/attempts", document).json()
    api.post("/attempts", document)
    follow(Attempt.objects.get(pk=started["id"]))
    api.get(f"/attempts/{started['id']}")
    api.get(f"/attempts/{started['id']}/events")
    api.get("/attempts")

    assert refused == [422] * len(wrongly_placed)
    assert PASSWORD not in api.received
    assert json.dumps(PASSWORD)[1:-1] not in api.received
    assert PASSWORD not in caplog.text
