"""The pages of the guided setup, under /setup/."""

from django.urls import path

from setup_wizard.wizard import views

app_name = "wizard"
urlpatterns = [
    path("", views.start, name="start"),
    path("waiting/", views.waiting, name="waiting"),
    path("fresh/", views.renew, name="renew"),
    path("again/<uuid:attempt>/", views.again, name="again"),
    path("join/<uuid:attempt>/", views.join, name="join"),
    path("<uuid:draft>/review/", views.review, name="review"),
    path("<uuid:draft>/discard/", views.discard, name="discard"),
    path("<uuid:draft>/<slug:name>/", views.step, name="step"),
    path("<uuid:draft>/<slug:name>/probe/", views.probe, name="probe"),
    path("<uuid:draft>/<slug:name>/check/<slug:field>/", views.check, name="check"),
]
