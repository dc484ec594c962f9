"""The request as an Ansible playbook.

Reference: https://docs.ansible.com/ansible/latest/collections/ansible/builtin/uri_module.html
"""

from collections.abc import Mapping
from typing import Any, Final

import yaml

from setup_wizard.bootstrap.renderings.variables import Bootstrap, Variable


class _Template(str):
    """A text that Ansible evaluates."""

    __slots__ = ()


class _Playbook(yaml.SafeDumper):
    """Writes a text with a brace so that Ansible does not evaluate it."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    if "{" in text:
        return dumper.represent_scalar("!unsafe", text, style='"')
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Playbook.add_representer(str, _write_text)
_Playbook.add_representer(_Template, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text)))

_STATE: Final = "(((progress.json | default({})).bootstrap_status | default({})).state | default(''))"
_CALL: Final = {"follow_redirects": "none", "use_proxy": False, "validate_certs": False}


def render_ansible(bootstrap: Bootstrap) -> str:
    """Write a playbook that compares the certificate, sends the request, waits, and lists the cluster's nodes."""
    play: dict[str, Any] = {
        "name": bootstrap.title,
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "serial": 1,
    }
    prompts = [_prompt(each.name, each.prompt, is_secret=each.kind != "file") for each in bootstrap.variables]
    if "client_cert" in bootstrap.document.get("credentials", {}):
        prompts.append(_prompt("client_cert_file", "File with the client certificate", is_secret=False))
    if prompts:
        play["vars_prompt"] = prompts
    play["tasks"] = [*_check_certificate(bootstrap), _send(bootstrap), *_wait(bootstrap), *_prove(bootstrap)]
    head = (
        "# Ansible cannot pin a certificate: the play compares the fingerprint, then opens connections of its own.\n"
        "# A node may replace its certificate during the bootstrap, so the last task may send the credentials to a\n"
        "# certificate that was not compared. Leave that task out to send them only once.\n"
        "# To run it without a terminal, give each prompted variable with --extra-vars @FILE, secrets as !unsafe.\n"
    )
    text = yaml.dump([play], Dumper=_Playbook, sort_keys=False, allow_unicode=True, width=10**9)
    return f"---\n{head}{text}"


def _prompt(name: str, prompt: str, *, is_secret: bool) -> dict[str, Any]:
    # unsafe: Ansible does not evaluate what is typed
    return {"name": name, "prompt": prompt, "private": is_secret, "unsafe": True}


def _check_certificate(bootstrap: Bootstrap) -> list[dict[str, Any]]:
    return [
        {
            "name": "Read the node's certificate",
            "ansible.builtin.command": {
                "argv": ["openssl", "s_client", "-connect", bootstrap.address],
                "stdin": "",
            },
            "register": "handshake",
            "changed_when": False,
        },
        {
            "name": "Read its fingerprint",
            "ansible.builtin.command": {
                "argv": ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
                "stdin": _Template("{{ handshake.stdout }}"),
            },
            "register": "shown",
            "changed_when": False,
        },
        {
            "name": "Compare the fingerprint",
            "ansible.builtin.assert": {
                "that": [f"shown.stdout.split('=') | last == '{bootstrap.fingerprint}'"],
                "fail_msg": "The node shows another certificate.",
            },
        },
    ]


def _send(bootstrap: Bootstrap) -> dict[str, Any]:
    call = {
        "url": bootstrap.url,
        "method": "POST",
        "body_format": "json",
        "body": _ansible_body(bootstrap.document),
        "status_code": [200],
        **_CALL,
    }
    return {"name": "Send the request", "ansible.builtin.uri": call, "no_log": True}


def _wait(bootstrap: Bootstrap) -> list[dict[str, Any]]:
    call = {"url": f"https://{bootstrap.address}/v1/bootstrap", "method": "GET", "status_code": [200, 401], **_CALL}
    return [
        {
            "name": "Wait until the node has finished",
            "ansible.builtin.uri": call,
            "register": "progress",
            "until": _Template(f"progress.status == 401 or {_STATE} in ['completed', 'error']"),
            "retries": 120,
            "delay": 5,
        },
        {
            "name": "Check the result",
            "ansible.builtin.assert": {
                "that": [_Template(f"progress.status == 401 or {_STATE} == 'completed'")],
                "fail_msg": _Template("{{ (progress.json | default({})).bootstrap_status | default({}) | to_json }}"),
            },
        },
    ]


def _prove(bootstrap: Bootstrap) -> list[dict[str, Any]]:
    """List the cluster's nodes, signed in as the administrator."""
    credentials = bootstrap.document.get("credentials")
    if not credentials:
        return []
    call = {"url": f"https://{bootstrap.address}/v1/nodes", "method": "GET", "status_code": [200], **_CALL}
    if "client_cert" in credentials:
        call |= {
            "client_cert": _Template("{{ client_cert_file }}"),
            "client_key": _Template("{{ client_key_file }}"),
        }
    else:
        call |= {
            "url_username": _ansible_body(credentials["username"]),
            "url_password": _ansible_body(credentials["password"]),
            "force_basic_auth": True,
        }
    return [{"name": "List the cluster's nodes", "ansible.builtin.uri": call, "no_log": True}]


def _ansible_body(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _ansible_body(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_ansible_body(entry) for entry in value]
    if not isinstance(value, Variable):
        return value
    if value.kind == "file":
        return _Template(f"{{{{ lookup('ansible.builtin.file', {value.name}) }}}}")
    # without a filter a password such as [1] would become a list
    return _Template(f"{{{{ {value.name} | {'from_json' if value.kind == 'json' else 'string'} }}}}")
