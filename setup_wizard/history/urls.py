"""The list of attempts."""

from django.urls import path

from setup_wizard.history import views

app_name = "history"
urlpatterns = [
    path("", views.show_list, name="list"),
    path("rows/", views.show_rows, name="rows"),
]
