"""Known defects of the nodes' software are named for the versions that have them, and for no others."""

import pytest

from setup_wizard.bootstrap.known_defects import name_loopback_defect, name_partial_create, name_port_defect

OLD, FIXED = "7.22.0-216", "8.2.0-12"


@pytest.mark.parametrize(
    ("address", "version", "warns"),
    [
        ("fd00::1", OLD, True),
        ("2001:db8::1a", "7.22.2-169", True),
        ("FD00:0:0:0:0:0:0:10", OLD, True),
        ("fd00::1", "7.22.2-170", False),
        ("fd00::1", FIXED, False),
        ("fd00::1", None, False),
        ("fd00::1", "unknown", False),
        ("fd00::2", OLD, False),
        ("::1", OLD, False),
        ("10.0.0.1", OLD, False),
        ("", OLD, False),
    ],
)
def test_address_with_a_loopback_in_it_is_named_before_7_22_2_170(address, version, warns):
    warned = name_loopback_defect(["10.0.0.5", address], version)

    assert bool(warned) == warns
    assert not warns or (address in warned and version in warned)


@pytest.mark.parametrize(
    ("port", "version", "warns"),
    [
        (9543, OLD, True),
        (9543, "8.0.18-23", True),
        (9543, "8.0.20-12", False),
        (9443, OLD, False),
        (None, OLD, False),
        (9543, None, False),
    ],
)
def test_join_over_another_port_is_named_before_8_0_20(port, version, warns):
    assert bool(name_port_defect(port, version)) == warns


@pytest.mark.parametrize(("version", "named"), [(OLD, True), ("8.0.20-12", True), (FIXED, False), (None, False)])
def test_partial_create_is_named_before_8_2_0(version, named):
    assert (bool(version) and version in name_partial_create(version)) == named
