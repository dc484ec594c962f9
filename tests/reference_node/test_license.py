"""The practice licenses, and the tool that makes and reads them."""

import json
import subprocess
import sys

import pytest

from setup_wizard.reference_node.errors import BootstrapFailed, LicenseUnreadable
from setup_wizard.reference_node.license import (
    END,
    START,
    License,
    Use,
    check_terms,
    find_license,
    read_license,
    write_license,
)

from .running import REPOSITORY

NAME = "redis-prod.example.com"
NOW = 1_900_000_000
LATER = NOW + 1000
TERMS = License(NAME, LATER, shards=10, flash_shards=2, nodes=3, activates=NOW - 1000, owner="Example AG")


def run(*arguments, text=""):
    command = [sys.executable, "-m", "setup_wizard.reference_node.license", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, input=text, capture_output=True, text=True, check=False, timeout=30)


def refusal(text, **changes):
    now = changes.pop("now", NOW)
    with pytest.raises(BootstrapFailed) as refused:
        check_terms(find_license(text, NAME, NOW), NAME, Use(**{"nodes": 1, **changes}), now)
    assert refused.value.failure.code == "invalid_license"
    return refused.value.failure.details


def test_a_license_is_read_as_it_was_written():
    assert read_license(write_license(TERMS)) == TERMS


def test_a_license_is_marked_as_a_practice_license():
    first, mark, *_, last = write_license(TERMS).splitlines()

    assert (first, last) == ("----- LICENSE START -----", "----- LICENSE END -----")
    assert "for reference nodes only, worth nothing on a real cluster" in mark


def test_added_white_space_is_harmless():
    text = "\r\n\n  " + write_license(TERMS).replace("\n", "  \r\n\t") + "\n\n"

    assert read_license(text) == TERMS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ABCD-1234", "begins with ----- LICENSE START"),
        (f"{START}\n{{}}", "ends with ----- LICENSE END"),
        (f"Dear Maria,\n{START}\n{{}}\n{END}", "begins with"),
        (f"{START}\n{END}", "does not hold the terms"),
        (f"{START}\nAAAA\n{END}", "does not hold the terms"),
        (f"{START}\n[]\n{END}", "does not hold the terms"),
        (f"{START}\n{'[' * 100_000}\n{END}", "does not hold the terms"),
        (f'{START}\n{{"cluster": 1}}\n{END}', "does not hold the terms"),
        (write_license(TERMS).replace(str(LATER), "9" * 20), "does not hold the terms"),
        (write_license(TERMS).replace("Example AG", "\\ud800"), "does not hold the terms"),
    ],
)
def test_text_without_terms_of_a_license_is_refused(text, words):
    with pytest.raises(LicenseUnreadable, match=words):
        read_license(text)


def test_a_license_that_fits_is_accepted():
    check_terms(TERMS, NAME.upper(), Use(nodes=3, shards=10, flash=True), NOW)


@pytest.mark.parametrize(
    ("terms", "changes", "violation", "words"),
    [
        ({}, {"now": LATER}, "license_expired", "expired on 2030-03-17T18:03:20Z"),
        ({}, {"now": NOW - 1001}, "license_not_yet_valid", "begins on 2030-03-17T17:30:00Z"),
        ({"cluster": "other.example.com"}, {}, "cluster_name_mismatch", f"for other.example.com, not for {NAME}"),
        ({"nodes": 3}, {"nodes": 4}, "nodes_limit_exceeded", "allows 3 nodes, and this would be number 4"),
        ({"shards": 8}, {"shards": 9}, "shards_limit_exceeded", "allows 8 shards, and the databases have 9"),
        ({"flash_shards": 0}, {"flash": True}, "flash_not_allowed", "does not allow flash"),
    ],
)
def test_each_violated_term_has_its_own_code(terms, changes, violation, words):
    text = write_license(License(**{**vars(TERMS), **terms}))

    details = refusal(text, **changes)

    assert details["violation_code"] == violation
    assert words in details["message"]


def test_a_license_that_cannot_be_read_has_no_violation_code():
    assert "violation_code" not in refusal("ABCD-1234")


def test_without_a_license_a_trial_runs_for_thirty_days():
    day = 24 * 60 * 60
    check_terms(find_license("", NAME, NOW), NAME, Use(nodes=9, flash=True), NOW + 30 * day - 1)

    details = refusal("", now=NOW + 30 * day)

    assert details["violation_code"] == "license_expired"
    assert details["message"].startswith("The trial expired on ")


def test_the_tool_reads_what_it_made():
    made = run("make", "--cluster", NAME, "--shards", "10", "--expires", "2099-01-31", "--nodes", "3")

    read = run("read", text=made.stdout)

    assert (made.returncode, made.stderr, read.returncode, read.stderr) == (0, "", 0, "")
    assert json.loads(read.stdout) == {
        "cluster_name": NAME,
        "owner": "",
        "activation_date": "1970-01-01T00:00:00Z",
        "expiration_date": "2099-01-31T00:00:00Z",
        "expired": False,
        "shards_limit": 10,
        "flash_shards_limit": 0,
        "nodes_limit": 3,
        "trial": False,
        "practice": True,
    }


def test_the_tool_says_what_is_wrong_with_a_file(tmp_path):
    (tmp_path / "license").write_text(write_license(TERMS).replace(START, ""))

    ended = run("read", str(tmp_path / "license"))

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("license: A license begins with")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["make", "--cluster", NAME, "--shards", "ten", "--expires", "2099-01-31"], "'ten' is not a whole number"),
        (["make", "--cluster", NAME, "--shards", "10", "--expires", "soon"], "'soon' is not a date such as 2027-01-31"),
    ],
)
def test_the_tool_names_a_bad_option(arguments, words):
    ended = run(*arguments)

    assert ended.returncode == 2
    assert words in ended.stderr
