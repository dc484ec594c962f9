"""Each command in README and docs is run by a test, or is in the list of those that cannot be, with the reason."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import get_commands

from setup_wizard.clusters.fingerprints import command_for

CLONE = Path(__file__).resolve().parents[2]
PAGES = [CLONE / "README.md", CLONE / "SECURITY.md", *sorted((CLONE / "docs").glob("*.md"))]

# pages whose command blocks a test runs from the first line to the last
RUN_BY = {
    "docs/api.md": "tests/api/test_demo.py",
    "docs/operations.md": "tests/project/test_operations_page.py",
    "docs/reference-node.md": "tests/reference_node/test_page.py",
}
NOT_RUN_PAGES = {"docs/error-codes.md": "these commands are for the machine of a real node"}
ENGINE = "needs a container engine; `make compose-test` starts, kills and stops the containers"
MAKE = "tests/project/test_makefile.py runs the targets; what they start has tests of its own"
FINGERPRINTS = command_for([f"10.0.0.{number}:9443" for number in (11, 12, 13)])
NOT_RUN = {
    "make demo": MAKE,
    "make demo-reset": MAKE,
    "make test": "it runs the tests, this one included",
    "docker compose up": ENGINE,
    "docker compose up -d": ENGINE,
    "docker compose up -d --build": ENGINE,
    "docker compose logs web": ENGINE,
    "docker compose restart web": ENGINE,
    "docker compose down": ENGINE,
    "docker compose down -v": ENGINE,
    "docker compose exec web python manage.py setup_token": ENGINE,
    "make PYTHON=/path/to/python3 demo": "the path is a placeholder",
    "cat var/demo/fingerprints": "tests/journeys/plans/test_three_nodes.py pastes the file",
    "kill -9 $(head -n 1 var/demo/pids/worker)": "tests/project/test_demo.py kills the parts of a demo",
    "kill -STOP $(head -n 1 var/demo/pids/node-3)": "tests/project/test_demo.py runs it",
    "kill -CONT $(head -n 1 var/demo/pids/node-3)": "tests/project/test_demo.py runs it",
    "kill -9": "says how a process ended",
    "rladmin recover": "a command of real nodes",
    "rladmin status": "a command of real nodes",
    "tar -xf redislabs-*.tar": "unpacks the vendor's package on a real node",
    "sudo ./install.sh -y": "installs the vendor's package on a real node",
    FINGERPRINTS: "tests/clusters/test_fingerprints.py runs its quoted part at a node; ssh needs real ones",
    "openssl rand -base64 32": "makes random bytes; nothing of ours is in it",
    'python3 -c "import secrets; print(secrets.token_urlsafe(48))"': "makes random bytes; nothing of ours is in it",
    "git rev-parse HEAD": "a command of git",
}
COMMANDS = get_commands()
PROGRAMS = ("make", "docker", "git", "kill", "openssl", "curl", "ssh", "nginx", "systemctl", "rladmin", "python3")
OURS = re.compile(r"(?:python )?manage\.py (\w+)|python -m ([\w.]+)|celery -A ([\w.]+) ")


def blocks(page):
    """The lines of the indented command blocks, each command in one line, without its comment."""
    lines = "\n".join(re.findall(r"^ {4}(.*)$", unfenced(page), re.MULTILINE))
    return [line.partition("  #")[0].strip() for line in lines.replace("\\\n", "").splitlines() if line.strip()]


def inline(page):
    return re.findall(r"`([^`\n]+)`", unfenced(page))


def unfenced(page):
    """The text without drawings and files, which stand between fences."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def name_of(page):
    return str(page.relative_to(CLONE))


def test_the_pages_with_tests_of_their_own_are_read_by_them():
    for page, test in RUN_BY.items():
        assert blocks(CLONE / page)
        assert f'"{Path(page).name}"' in (CLONE / test).read_text()


@pytest.mark.parametrize("document", PAGES, ids=name_of)
def test_each_command_block_is_run_or_listed_with_a_reason(document):
    if name_of(document) in RUN_BY:
        return
    assert [line for line in blocks(document) if line not in NOT_RUN] == []


@pytest.mark.parametrize("document", PAGES, ids=name_of)
def test_each_command_in_the_text_exists_or_is_listed_with_a_reason(document):
    if name_of(document) in NOT_RUN_PAGES:
        return
    lost = []
    for text in inline(document):
        if found := OURS.match(text):
            command, module, app = found.groups()
            exists = command in COMMANDS if command else find_spec(module or app)
            lost += [] if exists else [text]
        elif text.split()[0] in PROGRAMS and " " in text and not is_known(text):
            lost.append(text)
    assert lost == []


def is_known(text):
    """Whether it is listed, or is a target of make, which test_documents.py checks."""
    return text in NOT_RUN or text.startswith("make ")


def test_the_list_has_no_command_that_is_not_shown():
    shown = {text for page in PAGES for text in (*blocks(page), *inline(page))}

    assert sorted(set(NOT_RUN) - shown) == []
