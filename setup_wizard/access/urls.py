"""The addresses of signing in and out, passwords and the first administrator."""

from django.urls import path

from setup_wizard.access import sign_in_link_views, views

app_name = "access"
urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-in/<str:token>/", sign_in_link_views.sign_in_by_link, name="link"),
    path("first-administrator/", views.create_first_admin, name="first-admin"),
    path("password/", views.change_password, name="password"),
    path("sign-out/", views.sign_out, name="sign-out"),
]
