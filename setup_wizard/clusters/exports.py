"""A plan as files: its JSON, which can be imported again, an Ansible playbook and `rladmin` commands; no secrets."""

import json
import re
from typing import Any, Final

from setup_wizard.bootstrap import renderings
from setup_wizard.bootstrap.renderings import Rendering
from setup_wizard.bootstrap.strict_json import DuplicateKeys, InvalidJson, read_json
from setup_wizard.clusters.document import InvalidPlan, PlanDocument, read_document
from setup_wizard.clusters.setups import planned_setup

FILES: Final = {"json": "plan.json", "ansible": "playbook.yml", "rladmin": "rladmin.txt"}
MAX_IMPORTED: Final = 512 * 1024
# of the body of the API's call: they are entered on the pages
_NOT_IMPORTED: Final = ("credentials", "overrides", "host_facts", "old_machines_off")


def export_plan(plan: PlanDocument) -> str:
    """Write the plan as the JSON that `import_plan` reads; it has no credentials."""
    return json.dumps(plan.as_json(), indent=2, ensure_ascii=False)


def import_plan(text: str) -> PlanDocument:
    """Read an exported plan, or the body of the API's call without its credentials and overrides.

    Raises:
        InvalidPlan: the text is no plan; the messages show nothing of it.
    """
    message, document = "", None
    try:
        document = read_json(text[:MAX_IMPORTED].encode(errors="replace"))
    except DuplicateKeys as error:
        message = f"More than once in one object: {', '.join(error.paths)}. Keep one of each."
    except InvalidJson as error:
        message = f"This cannot be read: {error.reason}."
    if message:
        raise InvalidPlan({"": [message]})  # outside of the handler: the parser's error holds the text
    if isinstance(document, dict):
        username = _username(document.get("credentials"))
        document = {key: value for key, value in document.items() if key not in _NOT_IMPORTED}
        if username:
            document.setdefault("username", username)
    return read_document(document)


def render_plan(plan: PlanDocument) -> tuple[Rendering, ...]:
    """Write the plan in every form.

    Raises:
        InvalidPlan, AddressInvalid: the plan is not complete.
    """
    ansible, rladmin = [], []
    for position, node in enumerate(plan.nodes):
        setup = planned_setup(plan, position)
        request = renderings.with_placeholders(setup.request, {"username": plan.username})
        forms = {
            each.name: each.text
            for each in renderings.render_request(request, address=str(setup.address), fingerprint=node.fingerprint)
        }
        ansible.append(forms["ansible"])
        title = f"# {'=' * 20} node {position + 1} of {len(plan.nodes)}: run this on {setup.address.host}"
        rladmin.append(f"{title}\n{forms['rladmin']}")
    return (
        Rendering(
            "json",
            "JSON",
            "The plan without its password. “Set up a cluster” can import it, here or on another server.",
            export_plan(plan),
        ),
        Rendering(
            "ansible",
            "Ansible",
            "One play for each node, in order. Give the password once with `--extra-vars @FILE`.",
            _join_plays(ansible),
        ),
        Rendering(
            "rladmin",
            "rladmin",
            "A Bash script for each node. Run the next one when the node before is active.",
            "\n\n".join(rladmin),
        ),
    )


def _join_plays(playbooks: list[str]) -> str:
    """Join playbooks of one play each; the comments at the head stand once."""
    plays = [re.sub(r"\A---\n(?:#.*\n)*", "", text) for text in playbooks]
    head = playbooks[0].removesuffix(plays[0]) if playbooks else "---\n"
    return head + "\n".join(plays)


def _username(credentials: Any) -> str:
    username = credentials.get("username") if isinstance(credentials, dict) else None
    return username if isinstance(username, str) else ""
