"""The documents as pages of the product: complete, linked with each other, and safe to show."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage

from setup_wizard.project import help as pages

DOCUMENTS = sorted(path.stem for path in (settings.BASE_DIR / "docs").glob("*.md"))
pytestmark = pytest.mark.django_db


def main_of(answer):
    return answer.text.partition("<main")[2].partition("</main>")[0]


def test_every_document_is_listed_with_a_sentence(client):
    listed = main_of(client.get("/help/"))

    assert sorted(re.findall(r'href="/help/([a-z-]+)/"', listed)) == DOCUMENTS
    assert all(pages.document(name).sentence in listed for name in DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_a_page_whose_links_lead_somewhere(client, name):
    page = main_of(client.get(f"/help/{name}/"))

    assert page.count("<h1") == 1
    anchors = set(re.findall(r'<h\d id="([^"]+)"', page))
    lost = []
    for target in re.findall(r'href="([^"]+)"', page):
        path, _, anchor = target.partition("#")
        if target.startswith("https://"):
            continue
        there = anchors if not path else set(re.findall(r'<h\d id="([^"]+)"', client.get(path).text))
        if (path and client.get(path).status_code != 200) or (anchor and anchor not in there):
            lost.append(target)
    assert lost == []
    assert ".md" not in "".join(re.findall(r'(?:href|src)="([^"]+)"', page))


def test_the_pictures_are_there_for_light_and_dark(client):
    page = main_of(client.get("/help/clusters/"))

    pictures = re.findall(r'(?:src|srcset)="/static/([^"]+)"', page)
    assert len(pictures) >= 6
    assert [name for name in pictures if not staticfiles_storage.exists(name)] == []
    assert {"light", "dark"} == {re.search(r"light|dark", name)[0] for name in pictures}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_between_documents_show_titles_not_names_of_files(client, name):
    page = main_of(client.get(f"/help/{name}/"))

    assert re.findall(r'<a href="/help/[^"]*">[^<]*\.md</a>', page) == []


def test_each_link_of_the_list_has_a_name_of_its_own(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root"))

    named = re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', main_of(client.get("/help/")))

    assert len({text for _, text in named}) == len(named)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_picture_of_a_document_is_shown(client, name):
    written = (settings.BASE_DIR / "docs" / f"{name}.md").read_text()

    page = main_of(client.get(f"/help/{name}/"))

    assert page.count("<img ") == len(re.findall("^ *<img ", written, re.MULTILINE))
    assert not re.search("&lt;(img|picture|source)", page)


def test_no_comment_and_no_html_of_a_document_reaches_the_page(client, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "DIRECTORY", tmp_path)
    (tmp_path / "demo.md").write_text("# A\n\n<!-- secret -->\nText <script>alert(1)</script> [x](javascript:alert(1))")
    pages.document.cache_clear()

    page = main_of(client.get("/help/demo/"))

    pages.document.cache_clear()
    assert "secret" not in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert 'href="javascript' not in page


def test_a_page_without_a_document_is_not_found(client):
    assert client.get("/help/readme/").status_code == 404


def test_help_is_in_the_bar_of_every_page(client, django_user_model):
    assert 'href="/help/"' in client.get("/sign-in/").text
    client.force_login(django_user_model.objects.create_superuser("root"))

    assert 'aria-current="true"' not in client.get("/help/").text
    for address in ("/clusters/", "/admin/", "/nowhere/"):
        page = client.get(address).text
        assert 'href="/help/"' in page
        assert 'href="/api/v1/docs"' in page


def test_the_container_image_has_the_documents():
    ignored = Path(settings.BASE_DIR / ".dockerignore").read_text().splitlines()

    assert {"!docs/*.md", "!docs/pictures"} <= set(ignored)
    assert "COPY docs docs" in Path(settings.BASE_DIR / "Dockerfile").read_text()
