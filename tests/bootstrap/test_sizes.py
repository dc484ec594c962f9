import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_wizard.bootstrap.sizes import format_size, format_uptime


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (16766763008, "15.6 GiB"),
        (1081100128256.0, "1,007 GiB"),
        (8267988992, "7.7 GiB"),
        (17179869184, "16 GiB"),
        (268435456, "256 MiB"),
        (99.96 * 2**30, "100 GiB"),
        (20 * 2**40, "20 TiB"),
        (None, ""),
        (0, ""),
        (24137, ""),
        (1018889.8304, ""),
        (-1, ""),
        (float("nan"), ""),
        (float("inf"), ""),
        (2.0**70, ""),
    ],
)
def test_sizes_are_written_only_when_they_can_be_bytes(count, words):
    assert format_size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (390, "6 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (50278, "13 h 57 min"),
        (86_400, "1 day"),
        (259_200, "3 days"),
        (None, ""),
        (-1, ""),
        (float("nan"), ""),
    ],
)
def test_uptimes_are_written_in_words(seconds, words):
    assert format_uptime(seconds) == words


@given(st.none() | st.floats() | st.integers())
def test_any_number_can_be_formatted(number):
    assert isinstance(format_size(number) + format_uptime(number), str)
