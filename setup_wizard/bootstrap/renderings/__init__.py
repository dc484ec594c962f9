"""A bootstrap request as JSON, cURL, `rladmin` and Ansible, without its secrets: they become variables and prompts.

Values come from operators. The shell gets them in single quotes, YAML from its own writer, Ansible's templates never.
"""

import json
from dataclasses import dataclass

from setup_wizard.bootstrap.renderings.ansible import render_ansible
from setup_wizard.bootstrap.renderings.bash import render_curl, render_rack_awareness
from setup_wizard.bootstrap.renderings.rladmin import render_rladmin
from setup_wizard.bootstrap.renderings.variables import Bootstrap, with_placeholders
from setup_wizard.bootstrap.request import BootstrapRequest

__all__ = ["Rendering", "render_rack_awareness", "render_request", "with_placeholders"]


@dataclass(frozen=True, slots=True)
class Rendering:
    """One rendering: `name` is for programs, `label` and `hint` are for people."""

    name: str
    label: str
    hint: str
    text: str


def render_request(request: BootstrapRequest, *, address: str, fingerprint: str) -> tuple[Rendering, ...]:
    """Render the request for the node at `address` ("host:port") whose certificate has this SHA-256 fingerprint."""
    bootstrap = Bootstrap.of(request, address, fingerprint)
    return (
        Rendering(
            "json",
            "JSON",
            f"The body of `POST {request.action.path}`. Asterisks stand for secrets.",
            json.dumps(bootstrap.shown, indent=2, ensure_ascii=False),
        ),
        Rendering(
            "curl",
            "cURL",
            "A Bash script. It compares the node's certificate, asks for the secrets, and sends the request.",
            render_curl(bootstrap),
        ),
        Rendering(
            "rladmin",
            "rladmin",
            "A Bash script for the node itself. Run it as a member of the group `redislabs`.",
            render_rladmin(bootstrap),
        ),
        Rendering(
            "ansible",
            "Ansible",
            "A playbook. It compares the node's certificate, sends the request, and waits for the node.",
            render_ansible(bootstrap),
        ),
    )
