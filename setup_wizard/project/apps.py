"""The administration site, as this product has it."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    """Django's administration app with our own site in it."""

    default_site = "setup_wizard.access.site.Site"
