"""The pages that only the demo has."""

from django.urls import path

from setup_wizard.access.throttle import limited
from setup_wizard.project.demo import views

app_name = "demo"
urlpatterns = [
    path("sign-in/<str:token>/", views.sign_in_by_link, name="sign-in"),
    path("demo/nodes/", views.nodes, name="nodes"),
    path("demo/nodes/reset/", limited(views.reset_nodes), name="reset-nodes"),
]
