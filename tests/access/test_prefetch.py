"""A page fetched in advance by a browser changes nothing."""

import pytest

from setup_wizard.project.demo.models import SignInLink
from setup_wizard.project.demo.sign_in_links import create_link

pytestmark = pytest.mark.django_db
PREFETCH = [
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Sec-Purpose": "Prefetch;anonymous-client-ip"},
    {"Purpose": "prefetch"},
    {"X-Purpose": "preview"},
    {"X-Moz": "prefetch"},
]


@pytest.mark.parametrize("header", PREFETCH)
def test_a_prefetch_leaves_the_sign_in_link_unused(client, header):
    link = create_link()

    answer = client.get(link, headers=header)

    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["Cache-Control"] == "no-store"
    assert SignInLink.objects.get().used_at is None
    assert "_auth_user_id" not in client.session
    assert client.get(link).status_code == 302


@pytest.mark.parametrize("method", ["head", "options"])
@pytest.mark.parametrize("header", [{}, {"Sec-Purpose": "prefetch"}])
def test_a_head_request_leaves_the_sign_in_link_unused(client, method, header):
    getattr(client, method)(create_link(), headers=header)

    assert SignInLink.objects.get().used_at is None


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/setup/", "/attempts/", "/admin/", "/api/v1/attempts"])
def test_a_prefetch_of_any_page_changes_nothing(browser_of_maria, path, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = browser_of_maria.get(path, headers={"Sec-Purpose": "prefetch"})

    assert answer.status_code == 204


def test_a_purpose_header_does_not_affect_a_post(browser_of_maria):
    assert browser_of_maria.post("/sign-out/", headers={"Purpose": "prefetch"}).status_code == 302


@pytest.mark.parametrize("header", [{"Sec-Purpose": ""}, {"Purpose": "none"}, {"X-Moz": "livebookmarks"}])
def test_other_purpose_headers_are_not_a_prefetch(client, header):
    assert client.get(create_link(), headers=header).status_code == 302
