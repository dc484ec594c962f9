"""The storage of the static files: `collectstatic` joins the parts of our sheets and script, hashes and compresses all.

With `DEBUG` nothing needs to be collected: the browser follows the same imports itself.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import Any, Final

from django.contrib.staticfiles.apps import StaticFilesConfig
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

BUNDLES: Final = ("app.css", "app.js", "administration.css", "administration.js")
_IMPORT: Final = re.compile(
    r'^(?P<at>@)?import "(?:\./)?(?P<part>[^"]+)"(?: layer\((?P<layer>[\w-]+)\))?;(?:\n|\Z)', re.MULTILINE
)

Paths = dict[str, tuple[Storage, str]]


class OurStaticFiles(StaticFilesConfig):
    """Django's app; it collects no files that only `DEBUG` and another version of htmx use."""

    ignore_patterns: list[str] = [
        *StaticFilesConfig.ignore_patterns,
        *("htmax-*", "htmx-2.js", "*-4.js", "*-4.min.js", "jquery.js", "select2.full.js", "xregexp.js"),
    ]


class BundledStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Replaces each import in a bundle with the file that it names, so that a page loads one file."""

    def post_process(self, paths: Paths, dry_run: bool = False, **options: Any) -> Iterator[Any]:  # noqa: FBT001, FBT002
        """Join the bundles and process them in place of their parts; `paths` maps each name to where its source is."""
        joined = InMemoryStorage()
        parts: set[str] = set()
        for bundle in BUNDLES:
            text = _join(bundle, paths, parts)
            joined.save(bundle, ContentFile(_shorten(text, is_sheet=bundle.endswith(".css")).encode()))
        kept = {name: place for name, place in paths.items() if name not in parts}
        yield from super().post_process(kept | {name: (joined, name) for name in BUNDLES}, dry_run, **options)
        if not dry_run:
            self.delete_files(parts)


def _join(bundle: str, paths: Paths, parts: set[str]) -> str:
    """Return a bundle with its imports resolved, and add their names to `parts`."""

    def part(statement: re.Match[str]) -> str:
        name = posixpath.join(posixpath.dirname(bundle), statement["part"])
        parts.add(name)
        text = _read(paths, name)
        if statement["layer"]:
            return f"@layer {statement['layer']} {{\n{text}}}\n"
        return text if statement["at"] else f"{{\n{text}}}\n"  # a module's names are its own, and so are a block's

    return _IMPORT.sub(part, _read(paths, bundle))


def _shorten(text: str, *, is_sheet: bool) -> str:
    """Remove comments, and the indentation of a sheet: a quarter of the compressed size."""
    if is_sheet:
        return re.sub(r"^\s+", "", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL), flags=re.MULTILINE)
    return re.sub(r"^\s*//.*\n", "", text, flags=re.MULTILINE)  # no text in our scripts begins a line that way


def _read(paths: Paths, name: str) -> str:
    storage, path = paths[name]
    with storage.open(path) as file:
        return bytes(file.read()).decode()
