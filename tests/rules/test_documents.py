"""The documents lead somewhere: links, commands and the tests they name are there."""

import re
from pathlib import Path

import pytest
from PIL import Image

from setup_wizard.api import docs
from setup_wizard.attempts.states import Reason, State
from setup_wizard.project.demo.programs import PASSED_TO_OURS

CLONE = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*CLONE.glob("*.md"), *(CLONE / "docs").rglob("*.md")], key=str)
FAILURE_MODES = (CLONE / "docs" / "failure-modes.md").read_text()
MAKEFILE = (CLONE / "Makefile").read_text()

LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
COMMAND = re.compile(r"(?<![\w/.-])make (?:[A-Z]+=\S+ )*([a-z][a-z-]*)")
PROOF = re.compile(r"`([\w/]+\.py)::(\w+)`")


def links(document):
    for found in LINK.finditer(document.read_text()):
        target = found[1] or found[2]
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(document):
    """Spell headings as code hosts do."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_in(document):
    """Everything that is shown as code: indented, fenced or between backticks."""
    text = document.read_text()
    return "\n".join([*re.findall(r"^ {4}.+$", text, re.MULTILINE), *re.findall(r"`([^`]+)`", text)])


def commands(document):
    return {command for line in code_in(document).splitlines() for command in COMMAND.findall(line)}


def failure_modes():
    """The cells of each row: what happens, what holds, code, tests."""
    rows = [line[2:-2].split(" | ") for line in FAILURE_MODES.splitlines() if line.startswith("| ")]
    return [cells for cells in rows if cells[0] != "what happens"]


def test_the_documents_are_found():
    names = {document.name for document in DOCUMENTS}

    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "failure-modes.md", "api.md"} <= names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_each_link_leads_somewhere(document):
    lost = []
    for target in links(document):
        path, _, anchor = target.partition("#")
        found = document.parent / path if path else document
        if not found.exists() or (anchor and anchor not in anchors(found)):
            lost.append(target)

    assert lost == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_each_make_command_is_a_target(document):
    targets = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))

    assert commands(document) <= targets


def test_the_readme_shows_how_to_start_and_to_test():
    assert {"demo", "demo-reset", "test"} <= commands(CLONE / "README.md")


def test_the_readme_is_short_and_links_every_page():
    readme = CLONE / "README.md"

    assert len(readme.read_text().splitlines()) < 150
    assert {f"docs/{path.name}" for path in (CLONE / "docs").glob("*.md")} <= set(links(readme))


def test_each_make_command_is_in_a_document():
    listed = set(re.findall(r'@echo "make ([a-z-]+)', MAKEFILE))

    assert len(listed) > 5
    assert listed - {name for document in DOCUMENTS for name in commands(document)} == set()


def test_the_architecture_names_every_package():
    page = (CLONE / "docs" / "architecture.md").read_text()
    parts = [path for path in (CLONE / "setup_wizard").iterdir() if path.name[0] not in "_."]

    assert [path.name for path in parts if f"`setup_wizard/{path.name}{'/' * path.is_dir()}`" not in page] == []


def test_the_api_page_has_every_call():
    page = (CLONE / "docs" / "api.md").read_text()
    calls = [(each.method, each.path) for each in docs.calls()]

    assert len(calls) > 10
    assert [call for call in calls if f"| `{' '.join(call)}` |" not in page] == []


def test_the_api_page_explains_every_state_and_reason():
    page = (CLONE / "docs" / "api.md").read_text()
    states, _, reasons = page.partition("## States and reasons")[2].partition("\n## ")[0].partition("The `reason`")

    row = re.compile(r"^\| `([a-z_]+)` \| [a-z]", re.MULTILINE)
    assert sorted(row.findall(states)) == sorted(State)
    assert sorted(row.findall(reasons)) == sorted(filter(None, Reason))


def test_the_api_page_has_every_error():
    page = (CLONE / "docs" / "api.md").read_text()
    code = "".join(
        path.read_text() for name in ("api", "attempts/engine") for path in (CLONE / "setup_wizard" / name).glob("*.py")
    )
    errors = set(re.findall(r'(?:Problem\(\s*\d+, |ChoiceRefused\(\s*)"([a-z_]+)"', code))

    assert {"changed", "node_busy", "invalid"} <= errors
    assert sorted(error for error in errors if f"`{error}`" not in page.partition("## Requests and errors")[2]) == []


def test_each_variable_of_the_demo_and_the_containers_is_documented():
    page = (CLONE / "docs" / "demo.md").read_text()
    code = "".join(path.read_text() for path in (CLONE / "setup_wizard/project/demo").glob("*.py"))
    read = set(re.findall(r'environment\.get\("([A-Z_]+)"|environment, "([A-Z_]+)"', code))
    names = {name for pair in read for name in pair if name} | set(PASSED_TO_OURS)
    compose = (CLONE / "docker-compose.yml").read_text()
    names |= set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", compose))

    assert {"DEMO_PORT", "REDIS_URL", "WEB_PORT", "DEBUG"} <= names
    assert [name for name in sorted(names - {"PATH"}) if f"`{name}`" not in page] == []


def test_the_moving_picture_is_small_and_comes_in_light_and_dark():
    pictures = {target for target in links(CLONE / "README.md") if target.startswith("docs/pictures/")}

    assert {Path(target).name for target in pictures} == {"first-cluster-light.webp", "first-cluster-dark.webp"}
    for target in pictures:
        with Image.open(CLONE / target) as picture:
            assert picture.n_frames >= 15
        assert (CLONE / target).stat().st_size < 1_000_000


def test_the_pictures_of_the_documents_are_small():
    pictures = {target for document in DOCUMENTS for target in links(document) if target.endswith(".png")}

    assert len(pictures) >= 8
    sizes = {target: (CLONE / "docs" / target.removeprefix("docs/")).stat().st_size for target in pictures}
    assert {target: size for target, size in sizes.items() if size > 150_000} == {}


@pytest.mark.parametrize(("file", "test"), sorted(set(PROOF.findall(FAILURE_MODES))))
def test_each_test_that_proves_a_row_exists(file, test):
    written = (CLONE / "tests" / file).read_text()

    assert re.search(rf"^\s*def {test}\(", written, re.MULTILINE)


def test_each_failure_mode_stands_once_and_so_does_each_test():
    cases = [cells[0] for cells in failure_modes()]
    tests = [test for _, test in PROOF.findall(FAILURE_MODES)]

    assert len(cases) > 150
    assert sorted(cases) == sorted(set(cases))
    assert sorted(tests) == sorted(set(tests))


def test_the_code_of_each_failure_mode_exists():
    assert {len(cells) for cells in failure_modes()} == {4}
    places = {name for _, _, code, _ in failure_modes() for name in re.findall(r"`([^`]+)`", code)}

    assert len(places) > 20
    assert [
        place for place in places if not any((root / place).exists() for root in (CLONE / "setup_wizard", CLONE))
    ] == []


def test_no_document_denies_that_a_second_request_may_leave():
    """After 20 s without a trace it may; what holds is that the node accepts one at most."""
    documents = {path.name: path.read_text() for path in DOCUMENTS}

    assert "a second POST may leave" in documents["README.md"]
    denied = re.compile(r"exactly one POST|nothing is repeated|bootstrap is sent at most once")
    assert {name: denied.findall(text) for name, text in documents.items() if denied.search(text)} == {}
