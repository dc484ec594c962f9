"""The addresses of signing in and out, passwords and the first administrator."""

from django.urls import path

from setup_wizard.access import views

app_name = "access"
urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("first-administrator/", views.create_first_admin, name="first-admin"),
    path("password/", views.change_password, name="password"),
    path("sign-out/", views.sign_out, name="sign-out"),
]
