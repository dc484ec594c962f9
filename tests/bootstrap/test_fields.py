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


def refusal(check, text):
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
def test_a_full_name_is_a_cluster_name(typed, name):
    assert check_cluster_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "needs a full name"),
        (".", "needs a full name"),
        ("a" + SIXTY_FOUR, "has 65 characters"),
        ("redis", "such as redis.example.com"),
        ("10.0.0.5", "10.0.0.5 is an address"),
        ("2001:db8::5", "2001:db8::5 is an address"),
        ("redis.example.42", "ends in a number"),
        ("redis_prod.example.com", "“redis_prod” has “_”"),
        ("redis prod.example.com", "has a blank"),
        ("rédis.example.com", "“é”"),
        ("-redis.example.com", "“-redis” begins or ends with a hyphen"),
        ("redis-.example.com", "“redis-” begins or ends with a hyphen"),
        ("redis..example.com", "two dots"),
        (".redis.example.com", "begins with one"),
        ("https://redis.example.com", "“https://redis” has “:” and “/”"),
        ("redis.example.com\n.evil", "a blank"),
        ("redis.example.c\u202eom", "\\u202e"),
    ],
)
def test_what_is_no_cluster_name_is_told_why(typed, why):
    assert why in refusal(check_cluster_name, typed)


@pytest.mark.parametrize("rack", ["a", "rack-a", "Rack_1", "eu-west-1a", "r" * 63])
def test_a_rack_id_is_taken_as_it_is(rack):
    assert check_rack_id(f" {rack} ") == rack


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter a rack id"),
        ("r" * 64, "has 64 characters"),
        ("1a", "begins with “1”"),
        ("-a", "begins with “-”"),
        ("é1", "begins with “é”"),
        ("rack-", "ends with “-”"),
        ("rack_", "ends with “_”"),
        ("rack a", "has a blank"),
        ("rack.a", "has “.”"),
        ("rack\u00b2", "“²”"),
    ],
)
def test_what_is_no_rack_id_is_told_why(typed, why):
    assert why in refusal(check_rack_id, typed)


@pytest.mark.parametrize("name", ["admin@example.com", "admin", "maria.o'neil@example.com", "müller@example.com"])
def test_a_username_is_taken_as_it_is(name):
    assert check_username(f" {name} ") == name


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter the user name"),
        ("a&b", "has &"),
        ('<a> "b"', 'has < > "'),
        ("maria:x", "colon"),
        ("maria\0", "cannot be seen"),
        ("maria\u202e", "cannot be seen"),
        ("m" * 255, "has 255 characters"),
    ],
)
def test_what_is_no_username_is_told_why(typed, why):
    assert why in refusal(check_username, typed)


@pytest.mark.parametrize("password", ["x", "   ", " correct horse ", "<&>\"'", "påsswörd", "pass\tword"])
def test_a_password_is_taken_exactly_as_it_is(password):
    assert check_password(password) == password


@pytest.mark.parametrize("typed", ["", "x" * 4097, "correct\ud800horse"])
def test_a_password_that_cannot_be_sent_is_refused_without_showing_it(typed):
    message = refusal(check_password, typed)

    assert "correct" not in message
    assert "xxx" not in message


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("/var/opt/redislabs/persist", "/var/opt/redislabs/persist"),
        (" /mnt/data// ", "/mnt/data"),
        ("/mnt/data / /", "/mnt/data"),
        ("/ /", "/"),
        ("/mnt/with blank/Ünï", "/mnt/with blank/Ünï"),
        ("/mnt/..data", "/mnt/..data"),
        ("/", "/"),
    ],
)
def test_a_path_from_the_root_is_taken(typed, path):
    assert check_path(typed) == path


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter a path"),
        ("mnt/data", "does not begin with /"),
        ("~/data", "does not begin with /"),
        ("C:\\data", "does not begin with /"),
        ("/mnt/../etc", "step of dots"),
        ("/mnt/./data", "step of dots"),
        ("/mnt/.. /", "step of dots"),
        ("/mnt/data\0", "cannot be seen"),
        ("/mnt/a\nb", "cannot be seen"),
        ("/" + "a" * 4096, "has 4097 characters"),
    ],
)
def test_what_is_no_path_is_told_why(typed, why):
    assert why in refusal(check_path, typed)


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
def test_an_address_is_brought_to_its_canonical_spelling(typed, address):
    assert check_address(typed) == address


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter an address"),
        ("10.0.0.5:9443", "Leave out the port: “10.0.0.5”"),
        ("[2001:db8::5]:9443", "Leave out the port: “2001:db8::5”"),
        ("10.0.0.0/24", "not one address"),
        ("fe80::1%eth0", "names an interface"),
        ("10.0.0", "is no address"),
        ("10.0.0.256", "is no address"),
        ("010.0.0.5", "is no address"),
        ("redis.example.com", "is no address"),
        ("１０.0.0.5", "is no address"),
        ("2001:db8:::5", "is no address"),
        ("0.0.0.0", "many machines or none"),
        ("::", "many machines or none"),
        ("224.0.0.1", "many machines or none"),
        ("255.255.255.255", "many machines or none"),
    ],
)
def test_what_is_no_address_is_told_why(typed, why):
    assert why in refusal(check_address, typed)


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
def test_a_member_is_an_address_or_a_host_name(typed, member):
    assert check_member(typed) == member


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Enter the address of a member"),
        ("https://10.0.0.5:9443/", "without https://"),
        ("10.0.0.5:9443", "Leave out the port: “10.0.0.5”"),
        ("[2001:db8::5]:9443", "Leave out the port: “2001:db8::5”"),
        ("redis-1.example.com:9443", "Leave out the port: “redis-1.example.com”"),
        ("127.1", "no full address"),
        ("2130706433", "no full address"),
        ("0x7f.1", "no full address"),
        ("10.0.0.256", "no full address"),
        ("0.0.0.0", "many machines or none"),
        ("[10.0.0", "no address"),
        ("redis_1", "has “_”"),
        ("redis 1", "has a blank"),
        ("a" * 64 + ".example.com", "has 64 characters"),
        (".".join(["a" * 60] * 5), "has 304 characters"),
    ],
)
def test_what_is_no_member_is_told_why(typed, why):
    assert why in refusal(check_member, typed)


@pytest.mark.parametrize("typed", ["9443", " 9443 ", 9443])
def test_a_port_is_a_number(typed):
    assert check_port(typed) == 9443


@pytest.mark.parametrize("typed", ["", "0", 0, -1, 65_536, "https", "9443.0", "９４４３", "1" * 5000, 1023])
def test_what_is_no_port_is_refused(typed):
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
def test_a_license_is_taken_from_its_first_line_to_its_last(typed):
    assert check_license(typed) == LICENSE


@pytest.mark.parametrize("typed", ["", "  \n "])
def test_no_license_is_the_trial(typed):
    assert check_license(typed) == ""


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("AbC123", "LICENSE START ----- is missing"),
        (LICENSE.removesuffix(" -----"), "LICENSE END ----- is missing"),
        (LICENSE * 2, "there more than once"),
        ("----- LICENSE START -----\n\n----- LICENSE END -----", "nothing between"),
        ("----- LICENSE END -----\nAbC123\n----- LICENSE START -----", "nothing between"),
        (LICENSE + "x" * 70_000, "too long"),
    ],
)
def test_what_is_no_license_is_told_why_without_showing_it(typed, why):
    message = refusal(check_license, typed)

    assert why in message
    assert "AbC123" not in message


def test_pem_is_known_by_its_kind():
    assert check_pem(f" {CERTIFICATE}\n", "CERTIFICATE") == CERTIFICATE
    assert check_pem(KEY.replace("PRIVATE", "RSA PRIVATE"), "PRIVATE KEY")

    with pytest.raises(RuleError, match="BEGIN PRIVATE KEY") as refused:
        check_pem(CERTIFICATE, "PRIVATE KEY")
    assert "MIIB" not in refused.value.message


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@given(text=st.text(st.characters(), max_size=80) | st.text("10.:/-_a[]% ", max_size=30))
def test_every_check_answers_or_refuses_in_a_sentence(check, text):
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
    [("rack a!", "a blank and “!”"), ("rack a!?", "a blank, “!” and “?”"), ("rack!a", "this one has “!”")],
)
def test_characters_that_a_rack_id_cannot_have_are_listed_as_words(rack, wrong):
    with pytest.raises(RuleError, match=re.escape(wrong)):
        check_rack_id(rack)


def test_characters_that_a_name_cannot_have_are_listed_as_words():
    with pytest.raises(RuleError, match="has a blank and “_”"):
        check_cluster_name("my _cluster.example.com")
