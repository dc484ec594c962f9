"""What people choose for themselves, and the pages of webhooks, under /notifications/."""

from django.urls import path

from setup_wizard.access.throttle import limited
from setup_wizard.notifications import preferences, views

app_name = "notifications"
urlpatterns = [
    path("", limited(preferences.show), name="preferences"),
    path("test-email/", limited(preferences.send_test_email), name="test-email"),
    path("news/", preferences.news, name="news"),
    path("webhooks/", views.list_webhooks, name="webhooks"),
    path("webhooks/new/", limited(views.add_webhook), name="new"),
    path("webhooks/<uuid:webhook_id>/", views.show_webhook, name="webhook"),
    path("webhooks/<uuid:webhook_id>/change/", limited(views.change_webhook), name="change"),
    path("webhooks/<uuid:webhook_id>/key/", limited(views.make_new_key), name="key"),
    path("webhooks/<uuid:webhook_id>/test/", limited(views.send_test), name="test"),
    path("webhooks/<uuid:webhook_id>/delete/", limited(views.delete_webhook), name="delete"),
    path("deliveries/<uuid:delivery_id>/again/", limited(views.send_again), name="send-again"),
]
