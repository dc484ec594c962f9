import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_wizard.bootstrap import rules
from setup_wizard.bootstrap.rules import (
    RuleError,
    check_address,
    check_cluster_name,
    check_license,
    check_member,
    check_password,
    check_path,
    check_pem,
    check_port,
    check_rack_id,
    check_username,
)
from setup_wizard.bootstrap.text import has_controls
from tests.bootstrap.samples import CERTIFICATE, KEY, LICENSE

SIXTY_FOUR = "a" * 52 + ".example.com"
CHECKS = [
    getattr(rules, name)
    for name in rules.__all__
    if name.startswith("check_") and name not in {"check_pem", "check_choice"}
]


def error_of(check, text):
    with pytest.raises(RuleError) as refused:
        check(text)
    return refused.value.message


ACCEPTED = {
    check_cluster_name: {
        "redis-prod.example.com": "redis-prod.example.com",
        " redis-prod.example.com. ": "redis-prod.example.com",
        "my.cluster": "my.cluster",
        "Redis.Example.COM": "Redis.Example.COM",
        "3com.example.com": "3com.example.com",
        "cluster.local": "cluster.local",
        "xn--mnchen-3ya.example": "xn--mnchen-3ya.example",
        SIXTY_FOUR: SIXTY_FOUR,
    },
    check_path: {
        "/var/opt/redislabs/persist": "/var/opt/redislabs/persist",
        " /mnt/data// ": "/mnt/data",
        "/mnt/data / /": "/mnt/data",
        "/ /": "/",
        "/mnt/with space/Ünï": "/mnt/with space/Ünï",
        "/mnt/..data": "/mnt/..data",
        "/": "/",
    },
    check_address: {
        " 10.0.0.5 ": "10.0.0.5",
        "127.0.0.2": "127.0.0.2",
        "[2001:db8::5]": "2001:db8::5",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334": "2001:db8:85a3::8a2e:370:7334",
        "FD00::1": "fd00::1",
        "::ffff:10.0.0.5": "10.0.0.5",
    },
    check_member: {
        "10.0.0.5": "10.0.0.5",
        "2001:db8::5": "2001:db8::5",
        "[2001:db8::5]": "2001:db8::5",
        "redis-1.example.com.": "redis-1.example.com",
        "redis-1": "redis-1",
        "3com.example.com": "3com.example.com",
    },
    check_rack_id: {
        " a ": "a",
        "rack-a": "rack-a",
        "Rack_1": "Rack_1",
        "eu-west-1a": "eu-west-1a",
        "r" * 63: "r" * 63,
    },
    check_username: {
        " admin ": "admin",
        "maria.o'neil@example.com": "maria.o'neil@example.com",
        "müller@example.com": "müller@example.com",
    },
    check_password: {
        "   ": "   ",
        " correct horse ": " correct horse ",
        "<&>\"'": "<&>\"'",
        "påsswörd": "påsswörd",
        "pass\tword": "pass\tword",
    },
    check_license: {
        "": "",
        "  \n ": "",
        LICENSE: LICENSE,
        f"\n{LICENSE}\n\n": LICENSE,
        LICENSE.replace("\n", "\r\n"): LICENSE,
        f"Dear Maria,\n{LICENSE}\nRegards": LICENSE,
        LICENSE.replace("\n", "  \n  "): LICENSE,
    },
    check_port: {
        " 9443 ": 9443,
        9443: 9443,
    },
}
REFUSED = {
    check_cluster_name: {
        "": "Enter a full cluster name",
        ".": "Enter a full cluster name",
        "a" + SIXTY_FOUR: "has 65 characters",
        "redis": "such as redis.example.com",
        "10.0.0.5": "10.0.0.5 is an address",
        "2001:db8::5": "2001:db8::5 is an address",
        "redis.example.42": "ends in a number",
        "redis_prod.example.com": "“redis_prod” has “_”",
        "redis prod.example.com": "has a space",
        "rédis.example.com": "“é”",
        "-redis.example.com": "“-redis” starts or ends with a hyphen",
        "redis-.example.com": "“redis-” starts or ends with a hyphen",
        "redis..example.com": "two dots",
        ".redis.example.com": "starts with a dot",
        "https://redis.example.com": "“https://redis” has “:” and “/”",
        "redis.example.com\n.evil": "a space",
        "redis.example.c\u202eom": "\\u202e",
        "my _cluster.example.com": "has a space and “_”",
    },
    check_rack_id: {
        "": "Enter a rack ID",
        "r" * 64: "has 64 characters",
        "1a": "starts with “1”",
        "-a": "starts with “-”",
        "é1": "starts with “é”",
        "rack-": "ends with “-”",
        "rack_": "ends with “_”",
        "rack a": "has a space",
        "rack.a": "has “.”",
        "rack\u00b2": "“²”",
        "rack a!": "a space and “!”",
        "rack a!?": "a space, “!” and “?”",
        "rack!a": "This one has “!”",
    },
    check_username: {
        "": "Enter the user name",
        "a&b": "has &.",
        '<a> "b"': 'has < > ".',
        "maria:x": "colon",
        "maria\0": "invisible characters",
        "maria\u202e": "invisible characters",
        "m" * 255: "has 255 characters",
    },
    check_path: {
        "": "Enter a path",
        "mnt/data": "does not start with /",
        "~/data": "does not start with /",
        "C:\\data": "does not start with /",
        "/mnt/../etc": "contains . or ..",
        "/mnt/./data": "contains . or ..",
        "/mnt/.. /": "contains . or ..",
        "/mnt/data\0": "invisible characters",
        "/mnt/a\nb": "invisible characters",
        "/" + "a" * 4096: "has 4097 characters",
    },
    check_address: {
        "": "Enter an address",
        "10.0.0.5:9443": "Enter the address without its port: “10.0.0.5”",
        "[2001:db8::5]:9443": "Enter the address without its port: “2001:db8::5”",
        "10.0.0.0/24": "not a single address",
        "fe80::1%eth0": "contains an interface name",
        "10.0.0": "is not an address",
        "10.0.0.256": "is not an address",
        "010.0.0.5": "is not an address",
        "redis.example.com": "is not an address",
        "１０.0.0.5": "is not an address",
        "2001:db8:::5": "is not an address",
        "0.0.0.0": "not the address of a single machine",
        "::": "not the address of a single machine",
        "224.0.0.1": "not the address of a single machine",
        "255.255.255.255": "not the address of a single machine",
    },
    check_member: {
        "": "Enter the address of a cluster member",
        "https://10.0.0.5:9443/": "without https://",
        "10.0.0.5:9443": "Enter the address without its port: “10.0.0.5”",
        "[2001:db8::5]:9443": "Enter the address without its port: “2001:db8::5”",
        "redis-1.example.com:9443": "Enter the address without its port: “redis-1.example.com”",
        "127.1": "not a full address",
        "2130706433": "not a full address",
        "0x7f.1": "not a full address",
        "10.0.0.256": "not a full address",
        "0.0.0.0": "not the address of a single machine",
        "[10.0.0": "not an address",
        "redis_1": "has “_”",
        "redis 1": "has a space",
        "a" * 64 + ".example.com": "has 64 characters",
        ".".join(["a" * 60] * 5): "has 304 characters",
    },
}


@pytest.mark.parametrize(
    ("check", "typed", "value"), [(check, *row) for check, rows in ACCEPTED.items() for row in rows.items()]
)
def test_what_people_enter_is_accepted(check, typed, value):
    assert check(typed) == value


@pytest.mark.parametrize(
    ("check", "typed", "why"), [(check, *row) for check, rows in REFUSED.items() for row in rows.items()]
)
def test_invalid_values_are_refused_with_a_reason(check, typed, why):
    assert why in error_of(check, typed)


@pytest.mark.parametrize("typed", ["", "x" * 4097, "correct\ud800horse"])
def test_invalid_passwords_are_refused_and_not_shown(typed):
    message = error_of(check_password, typed)

    assert "correct" not in message
    assert "xxx" not in message


@pytest.mark.parametrize("typed", ["", "0", 0, -1, 65_536, "https", "9443.0", "９４４３", "1" * 5000, 1023])
def test_invalid_ports_are_refused(typed):
    with pytest.raises(RuleError, match="from 1024 to 65535"):
        check_port(typed, lowest=1024)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("AbC123", "LICENSE START ----- is missing"),
        (LICENSE.removesuffix(" -----"), "LICENSE END ----- is missing"),
        (LICENSE * 2, "appears more than once"),
        ("----- LICENSE START -----\n\n----- LICENSE END -----", "nothing between"),
        ("----- LICENSE END -----\nAbC123\n----- LICENSE START -----", "nothing between"),
        (LICENSE + "x" * 70_000, "can have at most"),
    ],
)
def test_invalid_licenses_are_refused_and_not_shown(typed, why):
    message = error_of(check_license, typed)

    assert why in message
    assert "AbC123" not in message


def test_pem_blocks_have_the_right_kind():
    assert check_pem(f" {CERTIFICATE}\n", "CERTIFICATE") == CERTIFICATE
    assert check_pem(KEY.replace("PRIVATE", "RSA PRIVATE"), "PRIVATE KEY")

    with pytest.raises(RuleError, match="BEGIN PRIVATE KEY") as refused:
        check_pem(CERTIFICATE, "PRIVATE KEY")
    assert "MIIB" not in refused.value.message


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@given(text=st.text(st.characters(), max_size=80) | st.text("10.:/-_a[]% ", max_size=30))
def test_every_check_accepts_or_refuses_with_a_sentence(check, text):
    message = "None."
    try:
        checked = check(text)
    except RuleError as refused:
        message = refused.message
    else:
        assert check(checked) == checked

    assert message.endswith(".")
    assert not has_controls(message)
