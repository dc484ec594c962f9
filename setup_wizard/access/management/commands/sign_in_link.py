"""Print a link that signs in once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from setup_wizard.access.links import create_link


class Command(BaseCommand):
    """Print the path of a new one-time sign-in link, for the demo."""

    help = "Print the path of a link that signs in once, within 30 minutes (only when SETUP_WIZARD_DEMO is on)"

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the link and print its path.

        Raises:
            CommandError: outside the demo, where such a link would lead nowhere.
        """
        del args, options
        if not settings.SETUP_WIZARD_DEMO:
            raise CommandError("sign-in links exist only in the demo; use `manage.py createsuperuser` and sign in")
        self.stdout.write(create_link())
