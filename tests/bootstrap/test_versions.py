import pytest

from setup_wizard.bootstrap.versions import read_version


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("7.22.2-170", (7, 22, 2, 170)),
        ("8.0.20", (8, 0, 20)),
        ("7.4", (7, 4)),
        ("8.2.0-12.el8", (8, 2, 0, 12)),
        (" 7.22.0-216\n", (7, 22, 0, 216)),
        ("7.22.0-rc1", (7, 22, 0)),
        ("100.0.5-2290-beta", (100, 0, 5, 2290)),
        ("", ()),
        (None, ()),
        ("8", ()),
        ("unknown", ()),
        ("v7.4", ()),
        ("1" * 5000 + ".1", ()),
    ],
)
def test_version_is_read_as_numbers(text, numbers):
    assert read_version(text) == numbers


@pytest.mark.parametrize(
    ("earlier", "later"),
    [("7.4.6-188", "7.22.0-216"), ("7.22.2-99", "7.22.2-170"), ("7.22.2-170", "8.0.6-54"), ("8.0.18", "8.0.20-12")],
)
def test_versions_compare_by_their_numbers(earlier, later):
    assert read_version(earlier) < read_version(later)
