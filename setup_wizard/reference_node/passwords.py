"""Passwords as SHA-256 digests: the form in which an access list of Valkey takes them.

Reference: ACL SETUSER, `#<hash>`. A plain digest is what the store can be given on another machine, so the record has
no other; whoever can read it is the administrator or the node itself.
"""

import hashlib
import hmac


def hash_password(password: str) -> str:
    """Hash a password, as hexadecimal digits."""
    return hashlib.sha256(password.encode()).hexdigest()


def password_matches(password: str, kept: str) -> bool:
    """Say whether a password is the one that was hashed."""
    return hmac.compare_digest(hash_password(password), kept)


def derive_password(secret: str, purpose: str) -> str:
    """Make a password that every member knows and nobody else can guess, from the cluster's secret."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()
