"""Take the pictures of the way to a first cluster: those of its guide, and the moving one of the README.

Part of `make screenshots`. A browser goes the way of the demo; each click is marked before it is made.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, expect, sync_playwright

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from setup_wizard.nodes.address import DEFAULT_PORT  # noqa: E402
from tests.chromium import launch_options  # noqa: E402
from tests.demos import Demo  # noqa: E402
from tests.journeys.plans.newcomer import Newcomer  # noqa: E402

PICTURES = Path(__file__).resolve().parent / "pictures"
THEMES = ("light", "dark")
SIZE = (1280, 800)
SHOWN_AT = (960, 600)
LOOK, CLICK, END = 1500, 900, 5000
"""How long a frame is shown, in milliseconds: a page, a click, and the last one."""
IN_GUIDE = {
    "home": "first-home",
    "pasted": "first-fingerprints",
    "password": "first-password",
    "succeeded": "first-end",
}
"""The steps that the guide shows, with the names of their pictures; they are light only, to stay small."""
COLOURS = 128
MARK, MARK_COLOUR = 18, (226, 61, 44)


class Photographer(Newcomer):
    """Goes the way of the demo, and takes a frame of each step and of each click."""

    def __init__(self, page: Any, demo: Demo) -> None:
        super().__init__(page, demo)
        self.frames: list[tuple[Image.Image, int]] = []

    def click(self, target: Locator) -> None:
        """Take a frame with a ring where the click goes, then click."""
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        frame = self.look()
        if box:
            middle = (box["x"] + min(box["width"], 60) / 2, box["y"] + box["height"] / 2)
            ImageDraw.Draw(frame).circle(middle, MARK, outline=MARK_COLOUR, width=4)
        self.frames.append((frame, CLICK))
        super().click(target)

    def look(self) -> Image.Image:
        """Take a picture of what is in the window, once nothing in it is loading any more."""
        expect(self.page.locator("header").get_by_text("Live", exact=True)).to_be_visible()
        expect(self.page.get_by_text("Checking…")).to_have_count(0)
        return Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")

    def walk(self) -> Iterator[tuple[str, Image.Image]]:
        """Go the whole way; gives each step with its picture."""
        for step in self.steps():
            picture = self.look()
            self.frames.append((picture, END if step == "succeeded" else LOOK))
            yield step, picture


def save_moving(frames: list[tuple[Image.Image, int]], path: Path) -> None:
    """Write the frames as one picture that starts again after its end."""
    small = [frame.resize(SHOWN_AT, Image.Resampling.LANCZOS) for frame, _ in frames]
    times = [duration for _, duration in frames]
    small[0].save(path, save_all=True, append_images=small[1:], duration=times, loop=0, quality=70, method=4)


def main() -> None:
    """Take all of them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        for theme in THEMES:
            with TemporaryDirectory(prefix="screenshots-") as place:
                demo = Demo(Path(place) / "demo")
                demo.node_port = DEFAULT_PORT
                demo.start()
                try:
                    size = {"width": SIZE[0], "height": SIZE[1]}
                    page = browser.new_context(viewport=size, color_scheme=theme).new_page()
                    photographer = Photographer(page, demo)
                    for step, picture in photographer.walk():
                        if theme == "light" and step in IN_GUIDE:
                            picture.quantize(COLOURS).save(PICTURES / f"{IN_GUIDE[step]}.png", optimize=True)
                    save_moving(photographer.frames, PICTURES / f"first-cluster-{theme}.webp")
                finally:
                    demo.clean_up()
        browser.close()


if __name__ == "__main__":
    main()
