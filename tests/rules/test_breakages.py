"""`make chaos-mutants` breaks what is there: a breakage whose code has moved is noticed when it moves."""

from pathlib import Path

import pytest

from setup_wizard import __path__ as package
from tests.faults.mutants.breakages import BREAKAGES, Edit, Moved

EDITS = [edit for breakage in BREAKAGES for edit in breakage.edits]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.file)
def test_the_code_that_a_breakage_replaces_stands_there_once(edit):
    text = (Path(package[0]) / edit.file).read_text()

    assert text.count(edit.old) == 1


def test_a_breakage_whose_code_has_moved_is_refused(tmp_path):
    (tmp_path / "setup_wizard").mkdir()
    (tmp_path / "setup_wizard" / "engine.py").write_text("commit()\n")

    with pytest.raises(Moved):
        Edit("engine.py", "write()", "pass").apply(tmp_path)
