"""How templates are named and what must never be in one."""

import ast
import re
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]
TEMPLATES = CLONE / "templates"
PACKAGE = CLONE / "setup_wizard"
STATIC = CLONE / "static"
PAGES = sorted(TEMPLATES.rglob("*.html"))
MODULES = sorted(PACKAGE.rglob("*.py"))
# files of their own: no page of ours shows them
DOWNLOADED = {"history/report.html", "clusters/report.html", "history/_report_head.html"}
APPS = {"demo", "api", "clusters", "wizard", "history", "live", "monitoring", "notifications", "nodes", "access"}
APPS |= {"help"}  # the documents, which belong to no app
# What Django itself looks for by name, and the page that all others extend.
PARTS_OF_DJANGO = {  # what stands below its lists of attempts and of certificates
    "admin/attempts/attempt/pagination.html",
    "admin/nodes/trustedcertificate/pagination.html",
}
KNOWN_TO_DJANGO = {"admin/base_site.html", *PARTS_OF_DJANGO}  # the pages of its admin site are drawn into the first
OF_DJANGO = {"admin/base_site.html": ["admin/base.html"], "access/users.html": ["admin/change_list.html"]}
OF_DJANGO |= {"access/administration.html": ["admin/index.html"], "nodes/approval.html": ["admin/change_form.html"]}
KNOWN_AT_THE_TOP = {
    "base.html",
    "400.html",
    "403.html",
    "403_csrf.html",
    "404.html",
    "405.html",
    "413.html",
    "500.html",
    "503.html",
}

_COMMENT = re.compile(r"\{#.*?#\}|\{% comment.*?endcomment %\}", re.DOTALL)


def name_of(path):
    return str(path.relative_to(TEMPLATES))


def source_of(path):
    return _COMMENT.sub("", path.read_text())


def is_partial(name):
    return Path(name).name.startswith("_")


def names_written_in(path):
    """Every template that a module names, however it comes to be rendered."""
    tree = ast.parse(path.read_text())
    words = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [word for word in words if re.fullmatch(r"[\w/]+\.html", word)]


@pytest.fixture(params=PAGES, ids=name_of)
def template(request):
    return request.param


def test_there_are_templates_to_look_at():
    assert len(PAGES) > 10
    assert len(MODULES) > 30


def test_a_template_lives_in_the_folder_of_its_app(template):
    folder = template.relative_to(TEMPLATES).parts[0] if template.parent != TEMPLATES else None

    known = template.name in KNOWN_AT_THE_TOP or name_of(template) in KNOWN_TO_DJANGO
    assert folder in APPS | {"icons"} or is_partial(template.name) or known


def test_a_comment_ends_on_its_line(template):
    """Django shows a comment that goes on over a line's end to the reader."""
    open_ended = [line for line in template.read_text().splitlines() if line.count("{#") != line.count("#}")]

    assert open_ended == []


def test_only_partials_are_included_and_only_pages_are_extended(template):
    included = re.findall(r"\{%\s*include\s+[\"']([^\"']+)", source_of(template))
    extended = re.findall(r"\{%\s*extends\s+[\"']([^\"']+)", source_of(template))

    assert [name for name in included if not is_partial(name)] == []
    assert [name for name in extended if is_partial(name)] == []
    missing = [name for name in included + extended if not (TEMPLATES / name).is_file()]
    assert missing == OF_DJANGO.get(name_of(template), [])


def test_a_page_is_whole_and_a_partial_is_not(template):
    extends = "{% extends" in source_of(template)

    assert extends != is_partial(template.name) or name_of(template) in {"base.html", *DOWNLOADED, *PARTS_OF_DJANGO}


def test_a_template_that_a_module_names_is_there():
    missing = [
        f"{module.relative_to(CLONE)}: {name}"
        for module in MODULES
        for name in names_written_in(module)
        if not (TEMPLATES / name).is_file()
    ]

    assert missing == []


def test_every_page_is_shown_by_somebody():
    named = {name for module in MODULES for name in names_written_in(module)}
    pages = {name_of(path) for path in PAGES if not is_partial(path.name)}

    assert pages - named - KNOWN_AT_THE_TOP - KNOWN_TO_DJANGO == set()


def test_every_partial_is_used_by_somebody():
    named = {name for module in MODULES for name in names_written_in(module)}
    included = {name for path in PAGES for name in re.findall(r"[\"']([\w/]+\.html)[\"']", source_of(path))}
    # A name put together in the template, such as "icons/_"|add:mark|add:".html", counts for its whole folder.
    folders = {folder for path in PAGES for folder in re.findall(r"[\"'](\w+/)_[\"']", source_of(path))}
    partials = {name_of(path) for path in PAGES if is_partial(path.name)}

    unused = {name for name in partials - named - included if not any(name.startswith(folder) for folder in folders)}

    assert unused == set()


def test_nothing_is_inline_that_the_content_policy_would_refuse(template):
    text = source_of(template)
    refused = {
        "a style attribute": r"<[^>]*\sstyle\s*=",
        "a style element": r"<style\b",
        "a script without src": r"<script\b(?![^>]*\ssrc=)",
        "an event attribute": r"<[^>]*\son[a-z]+\s*=",
        "htmx's own script attribute": r"\shx-on\b",
        "a computed htmx value": r"hx-(?:vals|headers)\s*=\s*[\"']js:",
        "a trigger filter, which needs eval": r"hx-trigger\s*=\s*\"[^\"]*\[",
        "a javascript: address": r"javascript:",
    }

    if name_of(template) in DOWNLOADED:
        del refused["a style element"]

    assert [what for what, pattern in refused.items() if re.search(pattern, text, re.IGNORECASE | re.DOTALL)] == []


def test_nothing_switches_escaping_off_in_a_template(template):
    assert re.findall(r"\|\s*safe(?:seq)?\b|\{%\s*autoescape\s+off", source_of(template)) == []


def test_nothing_switches_escaping_off_in_a_module():
    found = [
        f"{module.relative_to(CLONE)}: {name}"
        for module in MODULES
        for name in re.findall(r"\b(mark_safe|SafeString|SafeText|html_safe)\b|__html__", module.read_text())
    ]

    # the documents, whose parser escapes any HTML in them
    assert set(found) == {"setup_wizard/project/help.py: SafeString", "setup_wizard/project/help.py: mark_safe"}


def test_nothing_is_fetched_from_elsewhere(template):
    foreign = re.findall(
        r"<link\b[^>]*\shref\s*=\s*[\"'](?:https?:)?//|\s(?:src|action|hx-[a-z]+)\s*=\s*[\"'](?:https?:)?//",
        source_of(template),
    )

    assert foreign == []


def test_every_moment_has_the_same_format(template):
    """Attributes are ISO, and events of one day show their time: everything else is written by a filter of ours."""
    found = re.findall(r"\|date:\"([^\"]*[HGhi][^\"]*)\"", source_of(template))

    assert set(found) <= {"H:i:s"}


def test_every_form_that_posts_carries_the_token(template):
    forms = re.findall(
        r"<form\b[^>]*method\s*=\s*[\"']post[\"'].*?</form>", source_of(template), re.IGNORECASE | re.DOTALL
    )

    assert [form[:80] for form in forms if "csrf_token" not in form] == []


def test_every_sheet_of_the_pages_is_in_a_layer():
    imported = re.findall(r'^@import "([^"]+)"(?: layer\(\w+\))?;$', (STATIC / "app.css").read_text(), re.MULTILINE)
    named = re.findall(r'^@import "([^"]+)" layer', (STATIC / "app.css").read_text(), re.MULTILINE)
    layered = [name for name in imported if re.search(r"^@layer \w+ \{", (STATIC / name).read_text(), re.MULTILINE)]

    assert len(imported) >= 8
    assert sorted(layered + named) == sorted(imported)


def test_every_size_of_text_is_one_of_the_scale():
    sheets = "".join(sheet.read_text() for sheet in sorted((STATIC / "css").glob("*.css")))
    used = set(re.findall(r"font(?:-size)?: (?:\d+ )?([^ /;]+)", sheets))

    assert len(used) >= 5
    assert {size for size in used if size != "inherit" and not re.fullmatch(r"var\(--t-\w+\)", size)} == set()


def test_every_variable_of_a_sheet_is_declared():
    sheets = "".join(sheet.read_text() for sheet in sorted((STATIC / "css").glob("*.css")))
    used, declared = set(re.findall(r"var\((--[\w-]+)", sheets)), set(re.findall(r"(--[\w-]+):", sheets))

    assert len(used) > 30
    assert used - declared == set()
