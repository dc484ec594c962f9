"""A request rendered for people to run: complete, quoted, and without its secrets."""

import json
import os
import re
import subprocess

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from setup_wizard.bootstrap.renderings import render_rack_awareness, render_request, with_placeholders
from setup_wizard.bootstrap.request import parse_request
from tests.bootstrap.samples import CERTIFICATE, DOCUMENTED_JOIN, EVERYTHING, KEY, SECRETS
from tests.bootstrap.strategies import documents

from .nodes import FINGERPRINT
from .running import PASSWORD, USERNAME, run_bash

CREDENTIALS = {"username": USERNAME, "password": "correct horse"}
BY_CERTIFICATE = {"client_cert": CERTIFICATE, "client_key": KEY, "trusted_ca": CERTIFICATE}
LINES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40)
# what the module takes, of all that it documents
URI = {"url", "method", "body", "body_format", "status_code", "follow_redirects", "use_proxy", "validate_certs"}
URI |= {"url_username", "url_password", "force_basic_auth", "client_cert", "client_key"}


def rendered(request, address="10.0.0.5:9443"):
    return {each.name: each.text for each in render_request(request, address=address, fingerprint=FINGERPRINT)}


def parse_without_secrets(document):
    request = parse_request(document, credentials_required=False)
    return with_placeholders(request, {"username": CREDENTIALS["username"]})


def body_of(curl, **environment):
    """Let Bash write the body that the script would send."""
    start, end = curl.index("json() {"), curl.index("\nanswer=")
    answer = run_bash(curl[start:end] + '\nprintf %s "$body"', **environment)
    assert answer.stderr == b""
    return json.loads(answer.stdout)


def arguments_of(rladmin, directory, **environment):
    """Let Bash run the script with an `rladmin` that writes down its arguments, with the text of each file."""
    command = directory / "rladmin"
    write_word = 'if [ -f "$word" ]; then cat "$word"; else printf %s "$word"; fi'
    command.write_text(f"#!/bin/sh\nfor word; do {write_word}; printf '\\0'; done\n")
    command.chmod(0o755)
    answer = run_bash(rladmin, **environment | {"PATH": f"{directory}:{os.environ['PATH']}"})
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.decode().split("\0")[:-1]


class Unsafe(str):
    """A text that Ansible does not evaluate."""

    __slots__ = ()


class Loader(yaml.SafeLoader):
    """Reads what Ansible reads."""


Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))


def task_of(playbook, name):
    [play] = yaml.load(playbook, Loader)
    return next(task for task in play["tasks"] if task["name"] == name)


def texts_in(value):
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from texts_in(key)
            yield from texts_in(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from texts_in(entry)
    elif isinstance(value, str):
        yield value


@given(document=documents(), name=LINES, path=LINES)
@example(document=EVERYTHING, name="'", path="{{")
@settings(max_examples=25, deadline=None)
def test_any_request_is_valid_bash_and_yaml(document, name, path):
    document = json.loads(json.dumps(document))
    document.setdefault("node", {}).setdefault("identity", {})["name"] = name
    document["node"].setdefault("paths", {})["persistent_path"] = "/x" + path.replace("/", "")
    request = parse_without_secrets({key: value for key, value in document.items() if key != "credentials"})

    texts = rendered(request)

    for script in (texts["curl"], texts["rladmin"]):
        checked = subprocess.run(["/usr/bin/bash", "-n"], input=script.encode(), capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, b"")
    assert json.loads(texts["json"]) == request.redacted()
    [play] = yaml.load(texts["ansible"], Loader)
    known = re.compile(r"\{\{ (\w+ \| (string|from_json)|handshake\.stdout|\(progress\.json .*) \}\}")
    for text in texts_in(play):
        assert "{" not in text or isinstance(text, Unsafe) or known.fullmatch(text) or text.startswith("progress.")


@given(document=documents(), name=LINES)
@settings(max_examples=15, deadline=None)
def test_curl_and_ansible_send_what_the_engine_sends(document, name):
    document = json.loads(json.dumps(document))
    document.setdefault("node", {}).setdefault("identity", {})["name"] = name
    request = parse_request({**document, "credentials": {**CREDENTIALS, "password": PASSWORD}})
    texts = rendered(request)

    assert body_of(texts["curl"], CLUSTER_PASSWORD=PASSWORD) == request.payload()
    sent = task_of(texts["ansible"], "Send the request")["ansible.builtin.uri"]["body"]
    assert sent["credentials"].pop("password") == "{{ cluster_password | string }}"
    assert sent["credentials"].pop("username") == CREDENTIALS["username"]
    del sent["credentials"]
    assert sent == {key: value for key, value in request.payload().items() if key != "credentials"}


def test_secrets_of_modules_are_variables_too():
    request = parse_request({**EVERYTHING, "witness_disk": {"a-token": "one", "a_token": "two"}})
    secrets = {
        "CLUSTER_PASSWORD": "correct horse",
        "WITNESS_DISK_A_TOKEN": "one",
        "WITNESS_DISK_A_TOKEN_2": "two",
        "USER_DEFINED_MODULES_0_LOCATION_URL": "https://maria:s3cr3t@example.com/search.zip",
        "USER_DEFINED_MODULES_0_LOCATION_CREDENTIALS": '{"value": "tok-4712"}',
    }

    assert body_of(rendered(request)["curl"], **secrets) == request.payload()


def test_a_client_key_is_read_from_its_file(tmp_path):
    request = parse_request({**DOCUMENTED_JOIN, "credentials": BY_CERTIFICATE})
    (tmp_path / "key.pem").write_text(KEY)
    environment = {"CLIENT_KEY_FILE": str(tmp_path / "key.pem")}

    assert body_of(rendered(request)["curl"], **environment) == request.payload()
    words = arguments_of(rendered(request)["rladmin"], tmp_path, **environment)
    assert words[words.index("client_key") + 1] == KEY
    assert words[words.index("trusted_ca") + 1] == CERTIFICATE + "\n"


@pytest.mark.parametrize("document", [EVERYTHING, {**DOCUMENTED_JOIN, "credentials": BY_CERTIFICATE}])
def test_no_rendering_has_a_secret(document):
    texts = rendered(parse_request(document))

    for secret in (*SECRETS, KEY, "MIIEvQIBADANBg"):
        assert all(secret not in text for text in texts.values())


def test_an_unknown_user_name_is_asked_for():
    request = with_placeholders(parse_request({**DOCUMENTED_JOIN, "credentials": {}}, credentials_required=False), {})

    sent = body_of(rendered(request)["curl"], CREDENTIALS_USERNAME="maria", CLUSTER_PASSWORD="otters")
    assert sent["credentials"] == {"username": "maria", "password": "otters"}


def test_a_recovery_needs_no_credentials():
    document = {"action": "recover_cluster", "recovery_filename": "ccs-redis.rdb"}
    texts = rendered(with_placeholders(parse_request(document), {}))

    assert "PASSWORD" not in texts["curl"] + texts["rladmin"]
    assert "vars_prompt" not in texts["ansible"]


def test_rladmin_gets_every_value_as_one_word(tmp_path):
    document = {**EVERYTHING, "credentials": {**CREDENTIALS, "password": PASSWORD}}
    request = parse_request(document | {"node": {**EVERYTHING["node"], "paths": {"persistent_path": "/a 'b' $(id)"}}})

    words = arguments_of(rendered(request)["rladmin"], tmp_path, CLUSTER_PASSWORD=PASSWORD)

    assert words == [
        *["cluster", "create", "name", "redis-prod.example.com", "username", CREDENTIALS["username"]],
        *["password", PASSWORD, "node_uid", "4", "rack_aware", "license_file", EVERYTHING["license"] + "\n"],
        *["persistent_path", "/a 'b' $(id)", "rack_id", "rack-a", "second_rack_id", "zone-1", "flash_enabled"],
        *["addr", "10.0.0.7", "external_addr", "203.0.113.7"],
    ]


def test_rladmin_names_what_it_cannot_set():
    join = rendered(parse_request({**DOCUMENTED_JOIN, "cnm_https_port": 9444, "max_retries": 3}))["rladmin"]

    assert "nodes '1.1.1.1' \\\n" in join
    assert "  flash_enabled \\\n" in join
    assert sorted(join.partition("cannot set these:\n")[2].splitlines()) == [
        '# cluster.nodes: ["2.2.2.2"]',
        "# cnm_https_port: 9444",
        "# max_retries: 3",
        '# node.bigstore_driver: "rocksdb"',
    ]


def test_ansible_uses_arguments_that_its_modules_have():
    [play] = yaml.load(rendered(parse_request(EVERYTHING))["ansible"], Loader)

    calls = [task for task in play["tasks"] if "ansible.builtin.uri" in task]
    assert [call["ansible.builtin.uri"]["method"] for call in calls] == ["POST", "GET", "GET"]
    for call in calls:
        assert call["ansible.builtin.uri"].keys() <= URI
        assert call["ansible.builtin.uri"]["follow_redirects"] == "none"
    assert "until" not in calls[0]
    assert [call.get("no_log", False) for call in calls] == [True, False, True]
    assert play["serial"] == 1
    assert FINGERPRINT in task_of(yaml.dump([play]), "Compare the fingerprint")["ansible.builtin.assert"]["that"][0]


def test_the_rack_awareness_script_signs_in_by_certificate_without_a_user():
    script = render_rack_awareness("my.cluster", address="10.0.0.5:9443", fingerprint=FINGERPRINT, username="")

    assert '--cert "$CLIENT_CERT_FILE" --key "$CLIENT_KEY_FILE"' in script
    assert "CLUSTER_PASSWORD" not in script
