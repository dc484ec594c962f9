"""The pages of plans and their runs, under /plans/."""

from django.urls import path

from setup_wizard.access.throttle import limited
from setup_wizard.clusters import run_views, views

app_name = "clusters"
urlpatterns = [
    path("new/", limited(views.new), name="new"),
    path("import/", limited(views.import_plan), name="import"),
    path("<uuid:plan>/export/", views.export, name="export"),
    path("<uuid:plan>/nodes/", limited(views.nodes), name="nodes"),
    path("<uuid:plan>/nodes/rows/", views.node_rows, name="node-rows"),
    path("<uuid:plan>/cluster/", limited(views.cluster), name="cluster"),
    path("<uuid:plan>/cluster/check/<str:field>/", limited(views.check_field), name="check"),
    path("<uuid:plan>/review/", limited(views.review), name="review"),
    path("<uuid:plan>/checks/", views.checks, name="checks"),
    path("<uuid:plan>/check-again/", limited(views.check_again), name="check-again"),
    path("<uuid:plan>/delegation/", limited(views.look_up_delegation), name="delegation"),
    path("<uuid:plan>/discard/", limited(views.discard), name="discard"),
    path("<uuid:plan>/", run_views.run, name="run"),
    path("<uuid:plan>/panel/", run_views.panel, name="panel"),
    path("<uuid:plan>/report/", run_views.report, name="report"),
    path("<uuid:plan>/report.json", run_views.report_as_json, name="report-json"),
    path("<uuid:plan>/retry/", limited(run_views.retry), name="retry"),
    path("<uuid:plan>/credentials/", limited(run_views.credentials), name="credentials"),
    path("<uuid:plan>/rack-awareness/", limited(run_views.rack_awareness), name="rack-awareness"),
    path("<uuid:plan>/<slug:choice>/", limited(run_views.choose), name="choose"),
]
