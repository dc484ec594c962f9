"""Passwords as salted scrypt hashes: what a member keeps of its administrator's.

Reference: RFC 7914.
"""

import base64
import hashlib
import hmac
import os

COST, BLOCK, LANES = 2**14, 8, 1


def hash_password(password: str) -> str:
    """Hash a password under a new salt, spelled ``scrypt$<n>$<r>$<p>$<salt>$<hash>``."""
    salt = os.urandom(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=LANES)
    return f"scrypt${COST}${BLOCK}${LANES}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def password_matches(password: str, kept: str) -> bool:
    """Say whether a password is the one that was hashed."""
    _, cost, block, lanes, salt, digest = kept.split("$")
    found = hashlib.scrypt(password.encode(), salt=base64.b64decode(salt), n=int(cost), r=int(block), p=int(lanes))
    return hmac.compare_digest(found, base64.b64decode(digest))
