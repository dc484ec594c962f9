"""The pages of clusters, under /clusters/."""

from django.urls import path

from setup_wizard.access.throttle import limited
from setup_wizard.clusters import cluster_views as views

app_name = "inventory"
urlpatterns = [
    path("", views.list_clusters, name="list"),
    path("open/", views.open_work, name="open"),
    path("<uuid:cluster>/", views.detail, name="detail"),
    path("<uuid:cluster>/panel/", views.panel, name="panel"),
    path("<uuid:cluster>/check/", limited(views.check), name="check"),
    path("<uuid:cluster>/dns/", limited(views.check_records), name="dns"),
    path("<uuid:cluster>/add-nodes/", limited(views.add_nodes), name="add-nodes"),
]
