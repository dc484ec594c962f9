"""The URLs of the API. Every call needs a token; only the description does not."""

from django.urls import URLPattern, path, re_path

from setup_wizard.api import docs
from setup_wizard.api.auth import guarded, unknown_url
from setup_wizard.api.views import api
from setup_wizard.attempts.choices import Choice

CHOICES = {choice.name.lower(): choice for choice in Choice}
CALLS = [
    path(str(pattern.pattern), guarded(pattern.callback, CHOICES.get(str(pattern.name))), name=pattern.name)
    for pattern in api.urls[0]
    if isinstance(pattern, URLPattern) and pattern.name != "api-root"
]

app_name = "api"
urlpatterns = [
    path("openapi.json", docs.show_schema, name="openapi"),
    path("docs", docs.show_page, name="docs"),
    *CALLS,
    re_path("", unknown_url),  # any other URL; a path converter would not match line breaks
]
