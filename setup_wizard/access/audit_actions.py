"""What this app records in the audit log."""

from django.db.models import TextChoices

from setup_wizard.access import audit


@audit.register
class AccessAudit(TextChoices):
    """Signing in and out, tokens and accounts."""

    SIGN_IN = "sign-in", "Signed in"
    SIGN_IN_FAILED = "sign-in-failed", "Failed to sign in"
    SIGN_OUT = "sign-out", "Signed out"
    PASSWORD = "password", "Changed their own password"
    TOKEN_MADE = "token-made", "Created an API token"
    TOKEN_REVOKED = "token-revoked", "Revoked an API token"
    SETUP_TOKEN_MADE = "setup-token-made", "Created a setup token"
    FIRST_ADMINISTRATOR = "first-administrator", "Became the first administrator"
    ACCOUNT_ADDED = "account-added", "Added a user or group"
    ACCOUNT_CHANGED = "account-changed", "Changed a user or group"
    ACCOUNT_DELETED = "account-deleted", "Deleted a user or group"
