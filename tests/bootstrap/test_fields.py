import re

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


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("redis-prod.example.com", "redis-prod.example.com"),
        (" redis-prod.example.com. ", "redis-prod.example.com"),
        ("my.cluster", "my.cluster"),
        ("Redis.Example.COM", "Redis.Example.COM"),
        ("3com.example.com", "3com.example.com"),
        ("cluster.local", "cluster.local"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        (SIXTY_FOUR, SIXTY_FOUR),
    ],
)
def test_cluster_names_are_accepted(typed, name):
    assert check_cluster_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter a full cluster name"),
        (".", "Enter a full cluster name"),
        ("a" + SIXTY_FOUR, "has 65 characters"),
        ("redis", "such as redis.example.com"),
        ("10.0.0.5", "10.0.0.5 is an address"),
        ("2001:db8::5", "2001:db8::5 is an address"),
        ("redis.example.42", "ends in a number"),
        ("redis_prod.example.com", "“redis_prod” has “_”"),
        ("redis prod.example.com", "has a space"),
        ("rédis.example.com", "“é”"),
        ("-redis.example.com", "“-redis” starts or ends with a hyphen"),
        ("redis-.example.com", "“redis-” starts or ends with a hyphen"),
        ("redis..example.com", "two dots"),
        (".redis.example.com", "starts with a dot"),
        ("https://redis.example.com", "“https://redis” has “:” and “/”"),
        ("redis.example.com\n.evil", "a space"),
        ("redis.example.c\u202eom", "\\u202e"),
    ],
)
def test_invalid_cluster_names_are_refused_with_a_reason(typed, why):
    assert why in error_of(check_cluster_name, typed)


@pytest.mark.parametrize("rack", ["a", "rack-a", "Rack_1", "eu-west-1a", "r" * 63])
def test_rack_ids_are_accepted(rack):
    assert check_rack_id(f" {rack} ") == rack


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter a rack ID"),
        ("r" * 64, "has 64 characters"),
        ("1a", "starts with “1”"),
        ("-a", "starts with “-”"),
        ("é1", "starts with “é”"),
        ("rack-", "ends with “-”"),
        ("rack_", "ends with “_”"),
        ("rack a", "has a space"),
        ("rack.a", "has “.”"),
        ("rack\u00b2", "“²”"),
    ],
)
def test_invalid_rack_ids_are_refused_with_a_reason(typed, why):
    assert why in error_of(check_rack_id, typed)


@pytest.mark.parametrize("name", ["admin@example.com", "admin", "maria.o'neil@example.com", "müller@example.com"])
def test_usernames_are_accepted(name):
    assert check_username(f" {name} ") == name


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter the user name"),
        ("a&b", "has &."),
        ('<a> "b"', 'has < > ".'),
        ("maria:x", "colon"),
        ("maria\0", "invisible characters"),
        ("maria\u202e", "invisible characters"),
        ("m" * 255, "has 255 characters"),
    ],
)
def test_invalid_usernames_are_refused_with_a_reason(typed, why):
    assert why in error_of(check_username, typed)


@pytest.mark.parametrize("password", ["x", "   ", " correct horse ", "<&>\"'", "påsswörd", "pass\tword"])
def test_passwords_are_kept_exactly_as_typed(password):
    assert check_password(password) == password


@pytest.mark.parametrize("typed", ["", "x" * 4097, "correct\ud800horse"])
def test_invalid_passwords_are_refused_and_not_shown(typed):
    message = error_of(check_password, typed)

    assert "correct" not in message
    assert "xxx" not in message


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("/var/opt/redislabs/persist", "/var/opt/redislabs/persist"),
        (" /mnt/data// ", "/mnt/data"),
        ("/mnt/data / /", "/mnt/data"),
        ("/ /", "/"),
        ("/mnt/with space/Ünï", "/mnt/with space/Ünï"),
        ("/mnt/..data", "/mnt/..data"),
        ("/", "/"),
    ],
)
def test_absolute_paths_are_accepted(typed, path):
    assert check_path(typed) == path


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter a path"),
        ("mnt/data", "does not start with /"),
        ("~/data", "does not start with /"),
        ("C:\\data", "does not start with /"),
        ("/mnt/../etc", "contains . or .."),
        ("/mnt/./data", "contains . or .."),
        ("/mnt/.. /", "contains . or .."),
        ("/mnt/data\0", "invisible characters"),
        ("/mnt/a\nb", "invisible characters"),
        ("/" + "a" * 4096, "has 4097 characters"),
    ],
)
def test_invalid_paths_are_refused_with_a_reason(typed, why):
    assert why in error_of(check_path, typed)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" 10.0.0.5 ", "10.0.0.5"),
        ("127.0.0.2", "127.0.0.2"),
        ("[2001:db8::5]", "2001:db8::5"),
        ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:db8:85a3::8a2e:370:7334"),
        ("FD00::1", "fd00::1"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
    ],
)
def test_addresses_become_canonical(typed, address):
    assert check_address(typed) == address


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter an address"),
        ("10.0.0.5:9443", "Enter the address without its port: “10.0.0.5”"),
        ("[2001:db8::5]:9443", "Enter the address without its port: “2001:db8::5”"),
        ("10.0.0.0/24", "not a single address"),
        ("fe80::1%eth0", "contains an interface name"),
        ("10.0.0", "is not an address"),
        ("10.0.0.256", "is not an address"),
        ("010.0.0.5", "is not an address"),
        ("redis.example.com", "is not an address"),
        ("１０.0.0.5", "is not an address"),
        ("2001:db8:::5", "is not an address"),
        ("0.0.0.0", "not the address of a single machine"),
        ("::", "not the address of a single machine"),
        ("224.0.0.1", "not the address of a single machine"),
        ("255.255.255.255", "not the address of a single machine"),
    ],
)
def test_invalid_addresses_are_refused_with_a_reason(typed, why):
    assert why in error_of(check_address, typed)


@pytest.mark.parametrize(
    ("typed", "member"),
    [
        ("10.0.0.5", "10.0.0.5"),
        ("2001:db8::5", "2001:db8::5"),
        ("[2001:db8::5]", "2001:db8::5"),
        ("redis-1.example.com.", "redis-1.example.com"),
        ("redis-1", "redis-1"),
        ("3com.example.com", "3com.example.com"),
    ],
)
def test_members_are_addresses_or_host_names(typed, member):
    assert check_member(typed) == member


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter the address of a cluster member"),
        ("https://10.0.0.5:9443/", "without https://"),
        ("10.0.0.5:9443", "Enter the address without its port: “10.0.0.5”"),
        ("[2001:db8::5]:9443", "Enter the address without its port: “2001:db8::5”"),
        ("redis-1.example.com:9443", "Enter the address without its port: “redis-1.example.com”"),
        ("127.1", "not a full address"),
        ("2130706433", "not a full address"),
        ("0x7f.1", "not a full address"),
        ("10.0.0.256", "not a full address"),
        ("0.0.0.0", "not the address of a single machine"),
        ("[10.0.0", "not an address"),
        ("redis_1", "has “_”"),
        ("redis 1", "has a space"),
        ("a" * 64 + ".example.com", "has 64 characters"),
        (".".join(["a" * 60] * 5), "has 304 characters"),
    ],
)
def test_invalid_members_are_refused_with_a_reason(typed, why):
    assert why in error_of(check_member, typed)


@pytest.mark.parametrize("typed", ["9443", " 9443 ", 9443])
def test_ports_are_numbers(typed):
    assert check_port(typed) == 9443


@pytest.mark.parametrize("typed", ["", "0", 0, -1, 65_536, "https", "9443.0", "９４４３", "1" * 5000, 1023])
def test_invalid_ports_are_refused(typed):
    with pytest.raises(RuleError, match="from 1024 to 65535"):
        check_port(typed, lowest=1024)


@pytest.mark.parametrize(
    "typed",
    [
        LICENSE,
        f"\n{LICENSE}\n\n",
        LICENSE.replace("\n", "\r\n"),
        f"Dear Maria,\n{LICENSE}\nRegards",
        LICENSE.replace("\n", "  \n  "),
    ],
)
def test_a_license_is_cut_out_of_the_text_around_it(typed):
    assert check_license(typed) == LICENSE


@pytest.mark.parametrize("typed", ["", "  \n "])
def test_an_empty_license_means_the_trial(typed):
    assert check_license(typed) == ""


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


@pytest.mark.parametrize(
    ("rack", "wrong"),
    [("rack a!", "a space and “!”"), ("rack a!?", "a space, “!” and “?”"), ("rack!a", "This one has “!”")],
)
def test_invalid_characters_of_a_rack_id_are_listed(rack, wrong):
    with pytest.raises(RuleError, match=re.escape(wrong)):
        check_rack_id(rack)


def test_invalid_characters_of_a_name_are_listed():
    with pytest.raises(RuleError, match="has a space and “_”"):
        check_cluster_name("my _cluster.example.com")
