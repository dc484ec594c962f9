"""The headless Chromium of browser tests, benchmarks and screenshots: where it is, and how it is started."""

import os
import shutil

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]


def launch_options():
    """Use Debian's Chromium where there is one, else Playwright's own."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    return {"args": QUIET} | ({"executable_path": program} if program else {})
