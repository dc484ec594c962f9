import socket
import threading
import time
from ipaddress import ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured

from setup_wizard.nodes.address import Address
from setup_wizard.nodes.errors import AddressForbidden, NodeUnreachable
from setup_wizard.nodes.guard import Endpoint, Policy, current_policy, resolve

PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
EVERYTHING = tuple(map(ip_network, ("0.0.0.0/0", "::/0")))
PORTS = frozenset({9443})

STRICT = Policy(PRIVATE, PORTS)
WIDE = Policy(EVERYTHING, PORTS)
WIDE_WITH_LOOPBACK = Policy(EVERYTHING, PORTS, allow_loopback=True)
LOOPBACK_ONLY = Policy((), PORTS, allow_loopback=True)
NOTHING = Policy((), PORTS)


@pytest.mark.parametrize(
    ("host", "policy", "key"),
    [
        ("10.0.0.5", STRICT, "10.0.0.5:9443"),
        ("172.16.0.1", STRICT, "172.16.0.1:9443"),
        ("fd00::5", STRICT, "[fd00::5]:9443"),
        ("::ffff:10.0.0.5", STRICT, "10.0.0.5:9443"),
        ("8.8.8.8", WIDE, "8.8.8.8:9443"),
        ("2001:db8::5", WIDE, "[2001:db8::5]:9443"),
        ("64:ff9b::10.0.0.5", WIDE, "[64:ff9b::a00:5]:9443"),
        ("2002:0a00:0005::1", WIDE, "[2002:a00:5::1]:9443"),
        ("100.64.0.1", WIDE, "100.64.0.1:9443"),
        ("127.0.0.1", LOOPBACK_ONLY, "127.0.0.1:9443"),
        ("127.0.0.4", LOOPBACK_ONLY, "127.0.0.4:9443"),
        ("::1", LOOPBACK_ONLY, "[::1]:9443"),
        ("::ffff:127.0.0.1", LOOPBACK_ONLY, "127.0.0.1:9443"),
    ],
)
def test_allowed_address_resolves_to_its_canonical_key(host, policy, key):
    endpoint = resolve(Address.parse(host if ":" not in host else f"[{host}]"), policy)

    assert endpoint.key == key


OUTSIDE = "outside the networks"


@pytest.mark.parametrize(
    ("host", "policy", "reason"),
    [
        ("8.8.8.8", STRICT, OUTSIDE),
        ("172.32.0.1", STRICT, OUTSIDE),
        ("100.64.0.1", STRICT, OUTSIDE),
        ("2001:db8::5", STRICT, OUTSIDE),
        ("::ffff:8.8.8.8", STRICT, OUTSIDE),
        ("64:ff9b::10.0.0.5", STRICT, OUTSIDE),
        ("2002:a00:5::1", STRICT, OUTSIDE),
        ("10.0.0.5", NOTHING, OUTSIDE),
        ("fd00::5", NOTHING, OUTSIDE),
        ("64:ff9b::8.8.8.8", Policy((*PRIVATE, ip_network("64:ff9b::/96")), PORTS), OUTSIDE),
        ("2002:808:808::1", Policy((*PRIVATE, ip_network("2002::/16")), PORTS), OUTSIDE),
        ("::8.8.8.8", Policy((*PRIVATE, ip_network("::/96")), PORTS), OUTSIDE),
        ("127.0.0.1", WIDE, "a loopback address"),
        ("127.1.2.3", WIDE, "a loopback address"),
        ("::1", WIDE, "a loopback address"),
        ("::ffff:127.0.0.1", WIDE, "a loopback address"),
        ("64:ff9b::127.0.0.1", WIDE_WITH_LOOPBACK, "contains a loopback address"),
        ("2002:7f00:1::", WIDE_WITH_LOOPBACK, "contains a loopback address"),
        ("::127.0.0.1", WIDE_WITH_LOOPBACK, "contains a loopback address"),
        ("10.0.0.5", LOOPBACK_ONLY, OUTSIDE),
        ("0.0.0.0", WIDE, "unspecified"),
        ("0.1.2.3", WIDE, "unspecified"),
        ("::", WIDE, "unspecified"),
        ("::ffff:0.0.0.0", WIDE, "unspecified"),
        ("169.254.169.254", WIDE, "metadata"),
        ("169.254.0.1", WIDE, "link-local"),
        ("::ffff:169.254.169.254", WIDE, "metadata"),
        ("64:ff9b::169.254.169.254", WIDE, "metadata"),
        ("64:ff9b:1::169.254.169.254", WIDE, "address translation"),
        ("2002:a9fe:a9fe::1", WIDE, "metadata"),
        ("::169.254.169.254", WIDE, "metadata"),
        ("2001:0:a9fe:a9fe::1", WIDE, "metadata"),
        ("2001:0:808:808:0:0:5601:5601", WIDE, "metadata"),
        ("fe80::1", WIDE, "link-local"),
        ("febf::1", WIDE, "link-local"),
        ("100.100.100.200", WIDE, "metadata"),
        ("168.63.129.16", WIDE, "metadata"),
        ("192.0.0.192", WIDE, "metadata"),
        ("fd00:ec2::254", WIDE, "metadata"),
        ("fd00:ec2::254", STRICT, "metadata"),
        ("fd00:ec2::23", STRICT, "metadata"),
        ("fd20:ce::254", STRICT, "metadata"),
        ("224.0.0.1", WIDE, "multicast"),
        ("239.255.255.255", WIDE, "multicast"),
        ("ff02::1", WIDE, "multicast"),
        ("255.255.255.255", WIDE, "broadcast"),
        ("240.0.0.1", WIDE, "reserved"),
    ],
)
def test_forbidden_address_is_refused_in_every_notation(host, policy, reason):
    with pytest.raises(AddressForbidden) as refusal:
        resolve(Address.parse(host if ":" not in host else f"[{host}]"), policy)

    assert "not allowed" in refusal.value.message
    assert reason in refusal.value.message


def test_forbidden_port_is_refused_before_dns():
    def nobody_asks(host):
        raise AssertionError("looked up")

    with pytest.raises(AddressForbidden, match=r"Port 6379 is not allowed\. Allowed: 9443"):
        resolve(Address("node-1.example.com", 6379), STRICT, lookup=nobody_asks)


@pytest.mark.parametrize(
    "answers", [["10.0.0.5", "8.8.8.8"], ["8.8.8.8", "10.0.0.5"], ["10.0.0.5", "::1"], ["fd00::5", "fe80::1%eth0"]]
)
def test_one_forbidden_dns_answer_refuses_the_name(answers):
    with pytest.raises(AddressForbidden, match=r"node-1\.example\.com"):
        resolve(Address("node-1.example.com"), STRICT, lookup=lambda host: answers)


def test_first_dns_answer_is_used():
    endpoint = resolve(Address("node-1.example.com"), STRICT, lookup=lambda host: ["10.0.0.5", "10.0.0.6"])

    assert endpoint == Endpoint(Address("node-1.example.com"), "10.0.0.5", 9443)
    assert endpoint.key == "10.0.0.5:9443"


@pytest.mark.parametrize("answers", [["10.0.0.5", "10.0.0.6"], ["10.0.0.6", "10.0.0.5"]])
def test_known_address_is_preferred_among_dns_answers(answers):
    endpoint = resolve(Address("node-1.example.com"), STRICT, preferred="10.0.0.6", lookup=lambda host: answers)

    assert endpoint.ip == "10.0.0.6"


def test_unknown_name_is_unreachable_in_phase_dns(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(NodeUnreachable) as failure:
        resolve(Address("node-1.example.com"), STRICT)

    assert (failure.value.phase, failure.value.detail) == ("dns", "host name not found")


def test_name_without_an_address_is_unreachable():
    with pytest.raises(NodeUnreachable, match="dns"):
        resolve(Address("node-1.example.com"), STRICT, lookup=lambda host: [])


def test_hanging_resolver_times_out():
    released = threading.Event()
    started = time.monotonic()

    with pytest.raises(NodeUnreachable, match=r"did not answer within 0\.1 s"):
        resolve(Address("node-1.example.com"), STRICT, lookup=lambda host: released.wait(5) and [], seconds=0.1)

    assert time.monotonic() - started < 3
    released.set()


def test_name_is_resolved_once(monkeypatch):
    asked = []

    def flip(host, *_, **__):
        asked.append(host)
        ip = "10.0.0.5" if len(asked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", flip)

    endpoint = resolve(Address("node-1.example.com"), STRICT)

    assert (endpoint.ip, asked) == ("10.0.0.5", ["node-1.example.com"])


@pytest.mark.parametrize(
    ("listener", "host"),
    [
        ("10.0.0.9", "10.0.0.9"),
        ("10.0.0.9", "::ffff:10.0.0.9"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.2"),
    ],
)
def test_own_database_queue_and_pages_are_forbidden(listener, host):
    policy = Policy(EVERYTHING, frozenset({6379}), allow_loopback=True, own_listeners=frozenset({(listener, 6379)}))

    with pytest.raises(AddressForbidden, match="own database, queue or web address"):
        resolve(Address.parse(f"[{host}]:6379" if ":" in host else f"{host}:6379"), policy)


def test_node_on_the_host_of_our_database_is_allowed():
    policy = Policy(PRIVATE, PORTS, own_listeners=frozenset({("10.0.0.9", 9443), ("10.0.0.5", 6379)}))

    assert resolve(Address("10.0.0.5"), policy).key == "10.0.0.5:9443"


def test_policy_comes_from_the_settings(settings):
    settings.SETUP_WIZARD_ALLOWED_NETWORKS = ["10.0.0.0/8", "fd00::/8"]
    settings.SETUP_WIZARD_ALLOWED_PORTS = [9443, 8443]
    settings.SETUP_WIZARD_ALLOW_LOOPBACK = False
    settings.DATABASE_URL = "postgres://wizard:secret@db.example.com/wizard"
    settings.REDIS_URL = "redis://:secret@10.0.0.9:6380/0"
    settings.SETUP_WIZARD_WEB_ADDRESS = "web.example.com:8443"

    policy = current_policy()

    assert policy == Policy(
        networks=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
        ports=frozenset({9443, 8443}),
        allow_loopback=False,
        own_listeners=frozenset({("db.example.com", 5432), ("10.0.0.9", 6380), ("web.example.com", 8443)}),
    )
    assert "secret" not in repr(policy)


@pytest.mark.parametrize("url", ["sqlite:////var/lib/wizard.sqlite3", "unix:///run/valkey.sock", "redis://[bad/0"])
def test_files_and_sockets_are_not_listeners(settings, url):
    settings.DATABASE_URL = settings.REDIS_URL = url

    assert current_policy().own_listeners == {("127.0.0.1", 8000)}  # the pages alone


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgres://u:p@db1:5432,db2:5433/wizard", {("db1", 5432), ("db2", 5433)}),
        ("postgresql://u:p@db1,db2/wizard", {("db1", 5432), ("db2", 5432)}),
        ("postgres://u:p@[fd00::5]:5433,10.0.0.5/wizard", {("fd00::5", 5433), ("10.0.0.5", 5433)}),
        ("postgres://u:p@/wizard?host=10.0.0.5", {("10.0.0.5", 5432)}),
        ("postgres://u:p@db/wizard?hostaddr=10.0.0.5&port=6432", {("db", 6432), ("10.0.0.5", 6432)}),
        ("postgres:///wizard?host=db1,DB2&port=5433,5434", {("db1", 5433), ("db2", 5434)}),
        ("postgres://u:p%40ss@db%31/wizard", {("db1", 5432)}),
        ("postgres://u:p@/wizard?host=/run/postgresql,10.0.0.5", {("10.0.0.5", 5432)}),
        ("redis:///0?host=10.0.0.5&port=6380", {("10.0.0.5", 6380)}),
        ("redis://:p;s@10.0.0.5/0;rediss://10.0.0.6:6380/0", {("10.0.0.5", 6379), ("10.0.0.6", 6380)}),
        ("sentinel://s1:26379;sentinel://s2", {("s1", 26379), ("s2", 26379)}),
    ],
)
@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_every_server_in_a_url_is_a_listener(settings, name, url, found):
    settings.DATABASE_URL = settings.REDIS_URL = "unix:///run/valkey.sock"
    setattr(settings, name, url)

    assert found <= current_policy().own_listeners


def test_database_from_the_libpq_environment_is_a_listener(settings, monkeypatch):
    settings.DATABASE_URL = "postgres:///wizard"
    monkeypatch.setenv("PGHOST", "db1,/run/postgresql")
    monkeypatch.setenv("PGHOSTADDR", "10.0.0.5")
    monkeypatch.setenv("PGPORT", "6432")

    assert {("db1", 6432), ("10.0.0.5", 6432)} <= current_policy().own_listeners


def test_invalid_network_stops_every_connection(settings):
    settings.SETUP_WIZARD_ALLOWED_NETWORKS = ["10.0.0.0/33"]

    with pytest.raises(ImproperlyConfigured, match=r"10\.0\.0\.0/33"):
        current_policy()
