import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_wizard.nodes.address import Address, AddressInvalid


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("10.0.0.5", "10.0.0.5:9443"),
        ("10.0.0.5:9443", "10.0.0.5:9443"),
        ("10.0.0.5:8443", "10.0.0.5:8443"),
        ("  10.0.0.5  ", "10.0.0.5:9443"),
        ("10.0.0.5\n", "10.0.0.5:9443"),
        ("\tnode-1.example.com:8443\r\n", "node-1.example.com:8443"),
        ("10.0.0.5.", "10.0.0.5:9443"),
        ("fd00::5", "[fd00::5]:9443"),
        ("[fd00::5]", "[fd00::5]:9443"),
        ("[fd00::5]:8443", "[fd00::5]:8443"),
        ("FD00:0:0:0:0:0:0:5", "[fd00::5]:9443"),
        ("::ffff:10.0.0.5", "[::ffff:10.0.0.5]:9443"),
        ("::1", "[::1]:9443"),
        ("node-1.example.com", "node-1.example.com:9443"),
        ("node-1.example.com.", "node-1.example.com:9443"),
        ("Node-1.Example.COM:65535", "node-1.example.com:65535"),
        ("redis", "redis:9443"),
        ("3com.example.com", "3com.example.com:9443"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example:9443"),
    ],
)
def test_parse_accepts_every_usual_form_of_an_address(typed, address):
    assert str(Address.parse(typed)).replace("::ffff:a00:5", "::ffff:10.0.0.5") == address


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("", "Enter a host"),
        ("   ", "Enter a host"),
        ("https://10.0.0.5:9443/", "Remove https:// and the path: enter 10.0.0.5:9443"),
        ("https://10.0.0.5", "Remove https://: enter 10.0.0.5:9443"),
        ("HTTPS://maria@node-1.example.com/v1/bootstrap?x#y", "enter node-1.example.com:9443"),
        ("http://", "Remove http://"),
        ("file:///etc/passwd", "Remove file://"),
        ("https:/10.0.0.5", "Remove https://"),
        ("10.0.0.5/", "slash"),
        ("10.0.0.0/8", "slash"),
        ("10.0.0.5\\x", "slash"),
        ("maria@10.0.0.5", "@"),
        ("10.0.0.5#x", "#"),
        ("10.0.0.5?x", "?"),
        ("fe80::1%eth0", "zone"),
        ("node%31", "zone"),
        ("10.0.0.5,10.0.0.6", "one address only"),
        ("10.0. 0.5", "space"),
        ("10.0.0.5\t:9443", "space or invisible"),
        ("10.0.0.5\r\nHost: evil", "space or invisible"),
        ("10.0.\n0.5", "space or invisible"),
        ("10.0.0.5\0", "space or invisible"),
        ("node\x7f", "space or invisible"),
        ("10。0。0。5", "ASCII"),
        ("１０.0.0.5", "ASCII"),
        ("10.0.0.5\u200b", "ASCII"),
        ("nödé.example.com", "xn--"),
        ("2130706433", "four numbers"),
        ("0x7f.1", "four numbers"),
        ("0x7f000001", "four numbers"),
        ("127.1", "four numbers"),
        ("169.254.43518", "four numbers"),
        ("0177.0.0.1", "four numbers"),
        ("010.0.0.5", "four numbers"),
        ("256.0.0.1", "four numbers"),
        ("1.2.3.4.5", "four numbers"),
        ("1.2.3.0x4", "four numbers"),
        ("node.0x", "four numbers"),
        ("127.1.", "four numbers"),
        ("10.0.0.5..", "letters, digits and hyphens"),
        ("node..example.com", "letters, digits and hyphens"),
        (".", "letters, digits and hyphens"),
        ("-node", "letters, digits and hyphens"),
        ("node-", "letters, digits and hyphens"),
        ("node_1", "letters, digits and hyphens"),
        ("n" * 64, "letters, digits and hyphens"),
        (".".join(["node"] * 60), "letters, digits and hyphens"),
        ("n" * 400, "too long"),
        ("*", "letters, digits and hyphens"),
        ("10.0.0.5:", "number from 1 to 65535"),
        ("10.0.0.5:0", "number from 1 to 65535"),
        ("10.0.0.5:65536", "number from 1 to 65535"),
        ("10.0.0.5:-1", "number from 1 to 65535"),
        ("10.0.0.5:+1", "number from 1 to 65535"),
        ("10.0.0.5:9_4", "number from 1 to 65535"),
        ("10.0.0.5:port", "number from 1 to 65535"),
        (":9443", "letters, digits and hyphens"),
        ("[fd00::5", "brackets"),
        ("[fd00::5]9443", "brackets"),
        ("[fd00::5]:", "number from 1 to 65535"),
        ("[10.0.0.5]:9443", "IPv6 addresses only"),
        ("fd00::5::1", "not an IPv6 address"),
        ("10.0.0.5:9443:1", "not an IPv6 address"),
        ("::ffff:127.1", "not an IPv6 address"),
        ("[::1]x:1", "brackets"),
    ],
)
def test_parse_rejects_other_text_with_advice(typed, advice):
    with pytest.raises(AddressInvalid) as refusal:
        Address.parse(typed)

    assert advice in refusal.value.message


@given(st.text(max_size=40))
def test_parse_never_fails_in_another_way(text):
    try:
        address = Address.parse(text)
    except AddressInvalid:
        return

    assert Address.parse(str(address)) == address


@given(st.ip_addresses(), st.integers(1, 65535))
def test_parse_keeps_ip_addresses(ip, port):
    typed = f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}"

    address = Address.parse(typed)

    assert (str(address), address.is_literal) == (typed, True)


def test_host_names_are_not_literals():
    assert not Address.parse("node-1.example.com").is_literal
