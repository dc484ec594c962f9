"""Passwords as SHA-256 digests, which only the administrator and the node itself can read."""

import hashlib
import hmac


def hash_password(password: str) -> str:
    """Hash a password, as hexadecimal digits."""
    return hashlib.sha256(password.encode()).hexdigest()


def password_matches(password: str, kept: str) -> bool:
    """Say whether a password is the one that was hashed."""
    return hmac.compare_digest(hash_password(password), kept)
