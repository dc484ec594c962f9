"""The product's settings with Django's own hasher: 100 MiB for each password, without a limit on parallel ones."""

from setup_wizard.project.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
