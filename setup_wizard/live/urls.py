"""The page of one attempt, its stream, and its choices."""

from django.urls import path, register_converter

from setup_wizard.attempts.choices import Choice
from setup_wizard.live import views
from setup_wizard.live.stream import views as stream


class ChoiceConverter:
    """Matches the names of choices; anything else is a 404."""

    regex = "|".join(Choice)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(ChoiceConverter, "choice")

app_name = "live"
urlpatterns = [
    path("action-needed/", views.show_action_needed, name="action-needed"),
    path("<uuid:attempt_id>/", views.show, name="detail"),
    path("<uuid:attempt_id>/panel/", views.show_panel, name="panel"),
    path("<uuid:attempt_id>/stream", stream.watch, name="stream"),
    path("<uuid:attempt_id>/cluster/", views.ask_cluster, name="cluster"),
    path("<uuid:attempt_id>/<choice:choice>/", views.choose, name="choose"),
]
