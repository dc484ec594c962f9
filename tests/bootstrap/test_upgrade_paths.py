import pytest

from setup_wizard.bootstrap.upgrade_paths import can_upgrade
from setup_wizard.bootstrap.versions import read_version


@pytest.mark.parametrize(
    ("current", "target", "expected"),
    [
        ("7.4.2-54", "7.22.0-216", True),
        ("7.22.0-216", "8.2.0-12", True),
        ("7.22.0-216", "7.22.2-170", True),
        ("6.4.2-110", "8.0.10-64", True),
        ("6.4.2-110", "8.0.16-20", False),
        ("6.4.2-110", "8.2.0-12", False),
        ("6.2.10-96", "7.8.2-44", True),
        ("6.2.8-64", "7.8.2-44", False),
        ("6.2.8-64", "7.4.2-54", True),
        ("6.2.18-72", "7.22.0-216", False),
        ("6.0.20-97", "7.2.4-92", True),
        ("6.0.20-97", "7.4.2-54", False),
        ("8.0.2-17", "8.2.0-12", True),
        ("8.0.2-17", "8.0.18-1", True),
        ("5.6.0-31", "6.4.2-110", None),
        ("8.2.0-12", "8.4.0-1", None),
        ("7.22.0-216", "9.0.0-1", None),
        ("", "7.22.0-216", None),
    ],
)
def test_upgrade_in_one_step_is_possible_as_documented(current, target, expected):
    assert can_upgrade(read_version(current), read_version(target)) is expected
