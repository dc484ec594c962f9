"""`make screenshots` shows every page."""

import re

from django.urls import URLResolver, get_resolver

from docs.screenshots import SCREENS

# URL patterns that answer with no page: parts of pages, redirects, streams and data
NO_PAGES = {
    "home": "redirects",
    "access:sign-out": "redirects",
    "access:theme": "redirects, or tells htmx the color scheme",
    "access:time-zone": "redirects, or the account page with messages",
    "access:make-token": "the account page with the token",
    "access:revoke-token": "redirects",
    "wizard:open": "a part of the home page",
    "wizard:available": "a part of the home page",
    "wizard:retry": "redirects",
    "wizard:join": "redirects",
    "wizard:discard": "redirects",
    "wizard:discard-all": "redirects",
    "wizard:import": "redirects, or the home page with a message",
    "wizard:new-probe": "a part of a step",
    "wizard:new-check": "a part of a step",
    "wizard:probe": "a part of a step",
    "wizard:check": "a part of a step",
    "wizard:checks": "a part of the review",
    "wizard:check-again": "begins the checks",
    "wizard:delegation": "a part of the review",
    "wizard:remedy": "changes a draft",
    "clusters:import": "redirects, or the page of a new plan with a message",
    "clusters:node-rows": "a part of the nodes of a plan",
    "clusters:check": "a part of a step",
    "clusters:checks": "a part of the review",
    "clusters:check-again": "begins the checks",
    "clusters:delegation": "a part of the review",
    "clusters:discard": "redirects",
    "clusters:panel": "a part of the page of a run",
    "clusters:rack-awareness": "redirects",
    "clusters:report": "a file to download",
    "clusters:report-json": "a file to download",
    "clusters:retry": "redirects",
    "clusters:choose": "redirects",
    "clusters:credentials": "redirects, or the page of the run with messages",
    "inventory:open": "a part of the clusters",
    "inventory:check": "redirects",
    "inventory:dns": "redirects",
    "inventory:add-nodes": "redirects",
    "history:rows": "a part of the list",
    "history:export-csv": "a file to download",
    "history:export-json": "a file to download",
    "history:review": "redirects, or the form of a review with a message",
    "history:report": "a file to download",
    "history:report-json": "a file to download",
    "live:panel": "a part of the page of an attempt",
    "live:cluster": "a part of the page of an attempt",
    "live:choose": "redirects",
    "live:stream": "a stream",
    "live:action-needed": "a part of the bar",
    "inventory:panel": "parts of the page of a cluster",
    "notifications:test-email": "redirects",
    "notifications:news": "data",
    "notifications:key": "the page of a webhook, with its new key",
    "notifications:test": "redirects",
    "notifications:delete": "redirects",
    "notifications:send-again": "redirects",
    "stream": "a stream",
    "demo:nodes": "a part of the home page",
    "demo:reset-nodes": "redirects",
    "monitoring:healthz": "data",
    "monitoring:readyz": "data",
    "monitoring:metrics": "data",
    "monitoring:banner": "a part of every page",
}
# Django's own pages; our lists and forms look alike, so that one of them is enough
OF_DJANGO = re.compile(r"admin:(?!index$|\w+_changelist$|attempts_attempt_change$)|admin:auth_group_changelist$")
CALLS = re.compile(r"api:(?!docs$)")


def names(patterns, prefix=""):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
        else:
            yield f"{prefix}{pattern.name}"


def test_every_page_is_in_the_list_of_screenshots():
    known = {name for name in names(get_resolver().url_patterns) if not OF_DJANGO.match(name) and not CALLS.match(name)}
    shown = {screen.url_name for screen in SCREENS if screen.url_name}

    assert known - shown - set(NO_PAGES) == set()
    assert (shown | set(NO_PAGES)) - known == set()


def test_every_picture_has_a_name_of_its_own():
    pictures = [screen.name for screen in SCREENS]

    assert len(pictures) == len(set(pictures))
