"""The documents in docs/ as pages of the product, so that they are at hand without internet access."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

DIRECTORY: Final = settings.BASE_DIR / "docs"
PICTURES: Final = "help/pictures"  # where STATICFILES_DIRS puts docs/pictures
SENTENCES: Final = {
    "first-cluster": "The shortest way from new nodes to a cluster, with a picture of each page.",
    "clusters": "Describe a whole cluster once, and set up node after node in one run.",
    "error-codes": "What each error code of a node means, and what to do about it.",
    "operations": "Install, configure, update, watch, back up and repair this product.",
    "settings": "Every setting, with its default and its meaning.",
    "security": "How credentials, sessions, tokens and connections to nodes are protected.",
    "api": "A script can do everything that the pages do.",
    "failure-modes": "What is guaranteed when a process, a node or the network fails.",
    "demo": "Try the product on one machine, with nodes that stand in for real ones.",
    "reference-node": "The program that stands in for a node in the demo and in the tests.",
    "architecture": "The parts of the product, and how they work together.",
}
_COMMENT: Final = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_PICTURE: Final = re.compile(
    r'(?:<picture>\s*<source[^>]*>\s*)?<img src="(?P<path>[^"]+)"[^>]*alt="(?P<text>[^"]*)">(?:\s*</picture>)?'
)
_DOCUMENT: Final = re.compile(r"(?P<name>[a-z-]+)\.md(?P<anchor>#.*)?")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of the second level, and where it is."""

    anchor: str
    title: str


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its name in the URL, its title, a sentence about it, its text as HTML, and its sections."""

    name: str
    title: str
    sentence: str
    html: SafeString
    sections: tuple[Section, ...]


@login_not_required
@require_safe
def show_list(request: HttpRequest) -> HttpResponse:
    """Show which documents there are."""
    return render(request, "help/list.html", {"documents": [document(name) for name in SENTENCES]})


@login_not_required
@require_safe
def show_document(request: HttpRequest, name: str) -> HttpResponse:
    """Show one document.

    Raises:
        Http404: there is no such document.
    """
    if name not in SENTENCES:
        raise Http404
    return render(request, "help/document.html", {"document": document(name)})


@cache
def document(name: str) -> Document:
    """Read a document, once for each process."""
    text = _COMMENT.sub("", (DIRECTORY / f"{name}.md").read_text(encoding="utf-8"))
    parser = _parser()
    tokens = parser.parse(_PICTURE.sub(r"![\g<text>](\g<path>)", text))
    headings = list(_name_headings(tokens))
    _point_links_here(tokens)
    html = parser.renderer.render(tokens, parser.options, {})
    sections = tuple(Section(anchor, title) for level, anchor, title in headings if level == "h2")
    # it is made of our own files, and the parser escapes any HTML in them
    return Document(name, headings[0][2], SENTENCES[name], mark_safe(html), sections)  # noqa: S308


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("image", _picture)
    # what is wider than the page scrolls, by keyboard too
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll" tabindex="0"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    for kind in ("fence", "code_block"):
        parser.add_render_rule(kind, _scrollable)
    return parser


def _name_headings(tokens: list[Token]) -> Iterator[tuple[str, str, str]]:
    """Give each heading the anchor that code hosts give it, and yield its tag, anchor and text."""
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            anchor = re.sub(r"[^\w\- ]", "", inline.content.lower()).replace(" ", "-")
            heading.attrSet("id", anchor)
            yield heading.tag, anchor, "".join(part.content for part in inline.children or ())


def _point_links_here(tokens: list[Token]) -> None:
    """Point links between documents at our pages; links to other files of the checkout become plain text."""
    inline = [part for token in tokens for part in token.children or ()]
    starts = [(part, text) for part, text in pairwise(inline) if part.type == "link_open"]
    ends = [part for part in inline if part.type == "link_close"]
    for (start, text), end in zip(starts, ends, strict=True):  # links are never inside of links
        target = str(start.attrGet("href"))
        found = _DOCUMENT.fullmatch(target)
        if found and found["name"] in SENTENCES:
            if text.content == f"{found['name']}.md":  # here the file has a title
                text.content = _title(found["name"])
            start.attrSet("href", reverse("help-document", args=[found["name"]]) + (found["anchor"] or ""))
        elif not target.startswith(("#", "https://")):
            start.tag = end.tag = "span"
            start.attrs = {}


def _title(name: str) -> str:
    return (DIRECTORY / f"{name}.md").read_text(encoding="utf-8").removeprefix("# ").partition("\n")[0]


def _picture(renderer: RendererHTML, tokens: list[Token], place: int, options: Any, environment: Any) -> str:
    """Show a picture, and its dark version where the system is dark."""
    del environment
    name = str(tokens[place].attrGet("src")).rpartition("/")[2]
    text = renderer.renderInlineAsText(tokens[place].children or [], options, {})
    return format_html(
        '<picture><source media="(prefers-color-scheme: dark)" srcset="{}"><img src="{}" alt="{}"></picture>',
        static(f"{PICTURES}/{name.replace('-light', '-dark')}"),
        static(f"{PICTURES}/{name}"),
        text,
    )


def _scrollable(renderer: RendererHTML, tokens: list[Token], place: int, options: Any, environment: Any) -> str:
    del renderer, options, environment
    return format_html('<pre tabindex="0"><code>{}</code></pre>\n', tokens[place].content)
