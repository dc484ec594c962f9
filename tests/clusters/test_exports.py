"""A plan as files, and plans from files."""

import json

import pytest
import yaml
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from setup_wizard.clusters.document import InvalidPlan, read_document
from setup_wizard.clusters.exports import export_plan, import_plan
from setup_wizard.clusters.models import Plan
from tests.clusters.conftest import PASSWORD
from tests.clusters.test_pages import plan, save, start  # noqa: F401

words = st.text("abcdefghij", min_size=1, max_size=8)
paths = st.builds("/{}/{}".format, words, words)
numbers = st.integers(1, 250)
nodes = st.fixed_dictionaries(
    {"address": st.builds("10.0.{}.{}:9443".format, numbers, numbers)},
    optional={
        "fingerprint": st.just(":".join(["AB"] * 32)),
        "addr": st.builds("10.1.{}.{}".format, numbers, numbers),
        "external_addr": st.lists(st.builds("192.0.2.{}".format, numbers), max_size=2, unique=True),
        "rack_id": words,
        "second_rack_id": words,
        "uid": numbers,
        "accept_servers": st.booleans(),
        "paths": st.fixed_dictionaries({}, optional={"persistent_path": paths, "ephemeral_path": paths}),
    },
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "cluster": st.fixed_dictionaries(
            {}, optional={"name": st.builds("{}.example.com".format, words), "rack_aware": st.booleans()}
        ),
        "members": st.lists(st.builds("10.2.0.{}".format, numbers), max_size=3, unique=True),
        "member_fingerprint": st.just(":".join(["CD"] * 32)),
        "cnm_https_port": st.integers(1024, 65535),
        "recovery_filename": paths,
        "username": st.builds("{}@example.com".format, words),
        "defaults": st.fixed_dictionaries(
            {}, optional={"paths": st.fixed_dictionaries({"persistent_path": paths}), "bigstore_enabled": st.booleans()}
        ),
        "nodes": st.lists(nodes, max_size=5),
        "accept_new_certificate": st.booleans(),
    },
)


@given(documents)
def test_plan_that_was_exported_and_imported_is_the_same(document):
    planned = read_document(document)

    assert import_plan(export_plan(planned)) == planned


def test_body_of_the_api_is_imported_without_its_credentials():
    body = {
        "cluster": {"name": "redis-prod.example.com"},
        "credentials": {"username": "admin@example.com", "password": PASSWORD},
        "overrides": ["memory"],
        "nodes": [{"address": "10.0.0.5:9443"}],
    }

    imported = import_plan(json.dumps(body))

    assert imported.username == "admin@example.com"
    assert PASSWORD not in repr(imported)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"nodes": 1}', '{"nodes": [], "nodes": []}', '{"colour": "red"}'])
def test_text_that_is_no_plan_is_refused(text):
    with pytest.raises(InvalidPlan):
        import_plan(text)


@pytest.mark.django_db(transaction=True)
def test_plan_is_exported_and_imported_on_its_pages(pages, plan):  # noqa: F811
    save(pages, plan)
    place = reverse("clusters:export", args=[plan.pk])
    page = pages.get(place).content.decode()
    files = {name: pages.get(place, {"file": name}) for name in ("json", "ansible", "rladmin")}

    answer = pages.post(reverse("clusters:import"), {"plan": files["json"].content.decode()})

    first, second = Plan.objects.order_by("created_at")
    assert answer.url == reverse("clusters:nodes", args=[second.pk])
    assert second.document == first.document
    plays = yaml.load(files["ansible"].content, Loader=type("Loader", (yaml.SafeLoader,), {}))
    assert [play["serial"] for play in plays] == [1, 1, 1]
    assert "rladmin cluster create" in files["rladmin"].content.decode()
    assert files["rladmin"].content.decode().count("rladmin cluster join") >= 2
    assert not any(PASSWORD in text for text in [page, *(each.content.decode() for each in files.values())])
    assert f'href="{place}"' in pages.get(reverse("clusters:review", args=[plan.pk])).content.decode()


@pytest.mark.django_db(transaction=True)
def test_refused_import_does_not_show_the_text_again(pages):
    answer = pages.post(reverse("clusters:import"), {"plan": f'{{"colour": "{PASSWORD}"'})

    assert answer.status_code == 422
    assert "This cannot be read" in answer.content.decode()
    assert PASSWORD not in answer.content.decode()
