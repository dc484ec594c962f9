"""The list of attempts, the report of one, and two compared."""

from django.urls import path

from setup_wizard.history import views

app_name = "history"
urlpatterns = [
    path("", views.show_list, name="list"),
    path("rows/", views.show_rows, name="rows"),
    path("figures/", views.show_figures, name="figures"),
    path("export.csv", views.download_csv, name="export-csv"),
    path("export.json", views.download_json, name="export-json"),
    path("compare/", views.show_comparison, name="compare"),
    path("<uuid:attempt_id>/review/", views.review, name="review"),
    path("<uuid:attempt_id>/report/", views.show_report, name="report"),
    path("<uuid:attempt_id>/report.json", views.show_report_as_json, name="report-json"),
]
