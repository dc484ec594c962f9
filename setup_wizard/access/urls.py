"""Where people come in and go out."""

from django.urls import path

from setup_wizard.access import views

app_name = "access"
urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-in/<str:token>/", views.sign_in_by_link, name="link"),
    path("first-administrator/", views.found, name="first"),
    path("password/", views.change_password, name="password"),
    path("sign-out/", views.sign_out, name="sign-out"),
]
