"""The addresses of signing in and out, accounts and the first administrator."""

from django.urls import path

from setup_wizard.access import account_views, views

app_name = "access"
urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("first-administrator/", views.create_first_admin, name="first-admin"),
    path("account/", account_views.show, name="account"),
    path("account/time-zone/", account_views.save_time_zone, name="time-zone"),
    path("account/tokens/", account_views.make_token, name="make-token"),
    path("account/tokens/<int:token>/revoke/", account_views.revoke_token, name="revoke-token"),
    path("password/", views.change_password, name="password"),
    path("theme/", views.choose_theme, name="theme"),
    path("sign-out/", views.sign_out, name="sign-out"),
]
