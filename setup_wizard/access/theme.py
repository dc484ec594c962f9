"""Light or dark pages: as the system has it, or as a person chose in the account menu, which a cookie keeps."""

from typing import Final

from django.conf import settings
from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse

COOKIE: Final = "__Host-theme" if settings.SESSION_COOKIE_SECURE else "theme"
_ONE_YEAR: Final = 365 * 24 * 60 * 60


class Theme(TextChoices):
    """What a person can choose."""

    SYSTEM = "system", "System"
    LIGHT = "light", "Light"
    DARK = "dark", "Dark"

    @property
    def color_scheme(self) -> str:
        """The content of `<meta name="color-scheme">`, which decides every color of a page."""
        return "light dark" if self is Theme.SYSTEM else self.value


def chosen(request: HttpRequest) -> Theme:
    """Return the theme of this browser."""
    name = request.COOKIES.get(COOKIE, "")
    return Theme(name) if name in Theme else Theme.SYSTEM


def keep(theme: Theme, response: HttpResponse) -> None:
    """Let the browser send the theme with every request, also before the next sign-in."""
    response.set_cookie(
        COOKIE, theme, max_age=_ONE_YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )


def in_pages(request: HttpRequest) -> dict[str, object]:
    """Give templates `theme`, and `themes` for the menu."""
    return {"theme": chosen(request), "themes": Theme}
