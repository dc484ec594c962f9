"""What the audit trail tells apart."""

from enum import StrEnum


class Deed(StrEnum):
    """What a person did, or was kept from doing. Each choice about an attempt is one, by the choice's own name."""

    SIGN_IN = "sign-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGN_OUT = "sign-out"
    START = "start"
    CANCEL = "cancel"
    STOP_WATCHING = "stop-watching"
    KEEP_WATCHING = "keep-watching"
    OURS = "ours"
    NOT_OURS = "not-ours"
    SEND_AGAIN = "send-again"
    APPROVE_CERTIFICATE = "approve-certificate"
    CREDENTIALS = "credentials"
    TRUST = "trust"
    ADDRESS_REFUSED = "address-refused"
    CLUSTER_ASKED = "cluster-asked"
    NOTE = "note"
    MARK = "mark"
    EXPORT = "export"
    TOKEN_MADE = "token-made"  # noqa: S105 - a word, not a password
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - a word, not a password
    SETUP_TOKEN_MADE = "setup-token-made"  # noqa: S105 - a word, not a password
    FIRST_ADMINISTRATOR = "first-administrator"
    ACCOUNT_ADDED = "account-added"
    ACCOUNT_CHANGED = "account-changed"
    ACCOUNT_DELETED = "account-deleted"
    ROTATE = "rotate"
    PASSWORD = "password"  # noqa: S105 - as above

    @property
    def label(self) -> str:
        """What a reviewer reads."""
        return _LABELS[self]


_LABELS = {
    Deed.SIGN_IN: "Signed in",
    Deed.SIGN_IN_FAILED: "Was not signed in",
    Deed.SIGN_OUT: "Signed out",
    Deed.START: "Started a setup",
    Deed.CANCEL: "Chose: cancel",
    Deed.STOP_WATCHING: "Chose: stop watching",
    Deed.KEEP_WATCHING: "Chose: keep watching",
    Deed.OURS: "Chose: it is ours",
    Deed.NOT_OURS: "Chose: it is not ours",
    Deed.SEND_AGAIN: "Chose: send again",
    Deed.APPROVE_CERTIFICATE: "Chose: approve the certificate and go on",
    Deed.CREDENTIALS: "Chose: enter the sign-in again",
    Deed.TRUST: "Approved a certificate",
    Deed.ADDRESS_REFUSED: "Asked for an address that is not allowed",
    Deed.CLUSTER_ASKED: "Asked a node which cluster it is in, with a sign-in",
    Deed.NOTE: "Wrote a note",
    Deed.MARK: "Marked as reviewed",
    Deed.EXPORT: "Exported attempts",
    Deed.TOKEN_MADE: "Made an API token",
    Deed.TOKEN_REVOKED: "Revoked an API token",
    Deed.SETUP_TOKEN_MADE: "Made a setup token",
    Deed.FIRST_ADMINISTRATOR: "Became the first administrator",
    Deed.ACCOUNT_ADDED: "Added a user or a group",
    Deed.ACCOUNT_CHANGED: "Changed a user or a group",
    Deed.ACCOUNT_DELETED: "Deleted a user or a group",
    Deed.ROTATE: "Sealed credentials with a newer key",
    Deed.PASSWORD: "Changed their own password",
}


class Outcome(StrEnum):
    """What came of it."""

    DONE = "done"
    REFUSED = "refused"

    @property
    def label(self) -> str:
        """What a reviewer reads."""
        return self.value.capitalize()
