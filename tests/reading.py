"""Pages that everybody can read: what axe finds, in both themes, on a desk and on a phone."""

import json

from axe_playwright_python.sync_playwright import Axe

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERYTHING = {"type": "tag", "values": WCAG}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # all that another theme can change
BACKGROUND = {"light": "rgb(246, 247, 249)", "dark": "rgb(16, 22, 28)"}
WIDE, HEIGHT = 1280, 800


# the mark of what is running turns forever; a transition may wait for a frame that the browser never draws
ANIMATIONS_END = """document.getAnimations()
    .filter((each) => each.effect.getComputedTiming().iterations !== Infinity).forEach((each) => each.finish())"""


def check_for_everybody(page, *, narrow=360):
    """Nothing that axe finds, and no sideways scrolling, on the page as it is open now."""
    page.evaluate(Axe().axe_script)
    for width, schemes in ((WIDE, ("light", "dark")), (narrow, ("dark", "light"))):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme, what in zip(schemes, (EVERYTHING, COLOURS), strict=True):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(ANIMATIONS_END)
            options = json.dumps({"runOnly": what, "resultTypes": ["violations"]})
            found = page.evaluate(f"axe.run({options}).then((results) => results.violations)")
            where = (page.url, width, scheme)
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == BACKGROUND[scheme], where
            faults = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
            assert faults == [], (*where, faults)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (page.url, width)
    page.set_viewport_size({"width": WIDE, "height": HEIGHT})
