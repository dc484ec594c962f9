"""The pages of the guided setup, under /setup/."""

from django.urls import path

from setup_wizard.access.throttle import limited
from setup_wizard.wizard import review_views, views

app_name = "wizard"
urlpatterns = [
    path("", limited(views.home), name="home"),
    path("open/", views.open_setups, name="open"),
    path("available/", limited(views.check_node), name="available"),
    path("retry/<uuid:attempt>/", limited(views.retry), name="retry"),
    path("join/<uuid:attempt>/", limited(views.join), name="join"),
    path("import/", limited(views.import_request), name="import"),
    path("discard/", limited(views.discard_all), name="discard-all"),
    path("new/", limited(views.step), {"name": "action"}, name="new"),
    path("new/probe/", limited(views.probe), {"name": "action"}, name="new-probe"),
    path("new/check/<slug:field>/", limited(views.check_field), {"name": "action"}, name="new-check"),
    path("<uuid:draft>/review/", limited(review_views.review), name="review"),
    path("<uuid:draft>/checks/", review_views.checks, name="checks"),
    path("<uuid:draft>/checks/again/", limited(review_views.check_again), name="check-again"),
    path("<uuid:draft>/delegation/", limited(review_views.look_up_delegation), name="delegation"),
    path("<uuid:draft>/remedy/", limited(review_views.remedy), name="remedy"),
    path("<uuid:draft>/discard/", limited(views.discard), name="discard"),
    path("<uuid:draft>/<slug:name>/", limited(views.step), name="step"),
    path("<uuid:draft>/<slug:name>/probe/", limited(views.probe), name="probe"),
    path("<uuid:draft>/<slug:name>/check/<slug:field>/", limited(views.check_field), name="check"),
]
