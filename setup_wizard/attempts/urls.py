"""Where attempts are."""

from django.urls import path, register_converter

from setup_wizard.attempts import health, pages
from setup_wizard.attempts.states import Choice
from setup_wizard.attempts.stream import page as stream


class ChoiceConverter:
    """Matches the choices there are, so that anything else is a 404."""

    regex = "|".join(Choice)

    def to_python(self, value: str) -> str:
        """Give the word."""
        return value

    def to_url(self, value: str) -> str:
        """Give the word."""
        return value


register_converter(ChoiceConverter, "choice")

app_name = "attempts"
urlpatterns = [
    path("", pages.show_list, name="list"),
    path("rows/", pages.show_rows, name="rows"),
    path("health/", health.show_banner, name="health"),
    path("<uuid:attempt_id>/", pages.show, name="detail"),
    path("<uuid:attempt_id>/panel/", pages.show_panel, name="panel"),
    path("<uuid:attempt_id>/stream", stream.watch, name="stream"),
    path("<uuid:attempt_id>/cluster/", pages.ask_cluster, name="cluster"),
    path("<uuid:attempt_id>/<choice:choice>/", pages.choose, name="choose"),
]
