from setup_wizard.attempts.models import Attempt
from setup_wizard.attempts.scrub import scrub_status
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.bootstrap.status import State, Status


def test_a_status_fits_its_columns_even_when_asterisks_are_longer_than_the_password():
    said = "e" * 60
    status = Status(State(said), said, start_time=said, error_code=said)

    scrubbed = scrub_status(status, Credentials(username="admin", password=Secret("e")))

    room = {
        name: Attempt._meta.get_field(name).max_length for name in ("node_state", "baseline_start_time", "error_code")
    }
    assert len(scrubbed.word) <= room["node_state"]
    assert len(scrubbed.start_time) <= room["baseline_start_time"]
    assert len(scrubbed.error_code) <= room["error_code"]
    assert scrubbed.end_time is None
    assert "e" not in scrubbed.word
