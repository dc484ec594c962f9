"""Every setting is documented, and what is documented is a setting."""

import ast
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
SETTINGS = ast.parse((CLONE / "setup_wizard" / "project" / "settings.py").read_text())


@dataclass(frozen=True)
class Setting:
    name: str
    default: ast.expr | None

    @property
    def is_plain(self):
        return self.default is None or not isinstance(self.default, ast.JoinedStr)

    @property
    def spelled_default(self):
        value = "" if self.default is None else ast.literal_eval(self.default)
        # blanks around the words of a list do not count, and a shell could not read them
        return str(value).lower() if isinstance(value, bool) else str(value).replace(", ", ",")


def settings_read():
    for call in (node for node in ast.walk(SETTINGS) if isinstance(node, ast.Call)):
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name("env")), args=[ast.Constant(name), *_]) if name.isupper():
                yield Setting(name, next((word.value for word in call.keywords if word.arg == "default"), None))


READ = {setting.name: setting for setting in settings_read()}


def example():
    lines = (CLONE / ".env.example").read_text().splitlines()
    return dict(re.fullmatch(r"#?([A-Z_]+)=(.*)", line).groups() for line in lines if re.match(r"#?[A-Z_]+=", line))


def test_the_settings_are_found_where_they_are_read():
    assert {"SECRET_KEY", "DEBUG", "DATABASE_URL", "SETUP_WIZARD_ALLOWED_PORTS"} <= READ.keys()


def test_the_example_lists_every_setting_and_nothing_else():
    assert sorted(example()) == sorted(READ)


@pytest.mark.parametrize("setting", [each for each in READ.values() if each.is_plain], ids=lambda each: each.name)
def test_the_example_gives_the_default(setting):
    assert example()[setting.name] == setting.spelled_default


def test_every_setting_of_the_example_says_what_it_is_for():
    lines = (CLONE / ".env.example").read_text().splitlines()

    bare = [line for before, line in pairwise(lines) if re.match(r"#?[A-Z_]+=", line) and not before.startswith("# ")]

    assert bare == []


@pytest.mark.parametrize("name", sorted(READ))
def test_the_settings_page_has_a_row_for_the_setting(name):
    page = (CLONE / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| .+ \| .+ \|$", page, re.MULTILINE)

    assert name in rows
