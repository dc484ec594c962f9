"""The product's own settings, with an environment made for the tests."""

import base64
import os

os.environ.update(
    SECRET_KEY="only-for-the-tests-0123456789-0123456789",
    ALLOWED_HOSTS="testserver,127.0.0.1,localhost",
    SETUP_WIZARD_CREDENTIAL_KEYS=base64.b64encode(bytes(range(32))).decode(),
    SETUP_WIZARD_ALLOW_LOOPBACK="true",
    SETUP_WIZARD_ALLOWED_PORTS="1-65535",
)
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")

from setup_wizard.project.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a good one takes its time, by design

INSTALLED_APPS = [*INSTALLED_APPS, "tests.flushing"]  # noqa: F405 - the tests' own way to empty a database
if not SETUP_WIZARD_DEMO:  # noqa: F405
    INSTALLED_APPS.append("setup_wizard.project.demo")
    CONTEXT_PROCESSORS.append("setup_wizard.project.demo.context_processors.demo")  # noqa: F405
