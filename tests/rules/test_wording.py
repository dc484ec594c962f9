"""Prose is plain English: some words stand in no document, page, message, comment or name of a test."""

import ast
import io
import re
import tokenize
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
PLACES = (
    *("*.md", "docs/*.md", "Makefile", "Dockerfile", "*.yml", ".env.example", "deploy/*"),
    *("static/*.js", "static/*.css", "static/css/*.css", "templates/**/*.html"),
    *("manage.py", "setup_wizard/**/*.py", "docs/*.py", "tests/**/*.py", "benchmarks/**/*.py"),
)
WORDS = (
    *("whoever", "whom", "anew", "mend", "shall", "as a rule", "by and by", "comes about", "is told of", "one that"),
    *("what it says", "lets in", "room", "house", "door", "arrow", "keeper", r"rows? \d+"),
)
NEVER = re.compile(rf"(?<![\w-])(?:{'|'.join(WORDS).replace(' ', '[ ]')})(?![\w-])", re.IGNORECASE)


def prose_in(path):
    """Each text of a file with the line where it begins: of a module its comments, strings and names of tests."""
    text = path.read_text()
    if path.suffix != ".py":
        yield 1, text
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")


def never_words(path):
    """Say where they stand, as `line: word`."""
    return [
        f"{first + text[: found.start()].count(chr(10))}: {found[0]}"
        for first, text in prose_in(path)
        for found in NEVER.finditer(text)
    ]


def test_prose_has_none_of_the_words_that_are_never_used():
    files = {path for place in PLACES for path in CLONE.glob(place) if path.is_file()} - {Path(__file__).resolve()}
    names = {str(path.relative_to(CLONE)): path for path in files}

    found = [f"{name}:{where}" for name, path in sorted(names.items()) for where in never_words(path)]

    assert len(names) > 500
    assert not found, "\n".join(found)


def test_a_never_word_is_found_in_prose_and_not_in_identifiers(tmp_path):
    module = tmp_path / "module.py"
    module.write_text(
        '"""First line.\n\nWhoever reads."""\n\nkeeper = door_of(f"{door} to a room")  # anew, row 38\n\n\n'
        "def test_one_that_fails(): pass\n"
    )

    assert sorted(never_words(module)) == ["3: Whoever", "5: anew", "5: room", "5: row 38", "8: one that"]
