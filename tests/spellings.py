"""The ten spellings in which a secret may come back or lie about, for every test that searches for one.

Each gives all variants of one spelling: those of upper and lower case, with and without padding, and so on.
"""

import base64
import html
import json
import re
from html.entities import codepoint2name
from urllib.parse import quote, quote_plus

USERNAME = "admin@example.com"


def raw(secret):
    return [secret]


def as_json(secret):
    ascii_only, readable = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    escaped = "".join(f"\\u{unit:04x}" for unit in _utf16_units(secret))
    found = [ascii_only, readable, ascii_only.replace("/", "\\/"), readable.replace("/", "\\/"), escaped]
    return [*found, *(re.sub(r"\\u[0-9a-f]{4}", lambda match: "\\u" + match[0][2:].upper(), each) for each in found)]


def json_in_json(secret):
    return [outer for inner in as_json(secret) for outer in as_json(inner)[:2]]


def in_url(secret):
    found = [quote(secret), quote(secret, safe=""), "".join(f"%{byte:02X}" for byte in secret.encode())]
    return [*found, *map(_lower_hex, found), quote(quote(secret, safe=""), safe="")]


def in_form(secret):
    return [quote_plus(secret), _lower_hex(quote_plus(secret))]


def in_html(secret):
    named = "".join(f"&{codepoint2name[ord(c)]};" if ord(c) in codepoint2name else c for c in secret)
    decimal, hexadecimal = "".join(f"&#{ord(c)};" for c in secret), "".join(f"&#x{ord(c):x};" for c in secret)
    return [html.escape(secret), html.escape(html.escape(secret)), named, decimal, hexadecimal, hexadecimal.upper()]


def in_base64(secret):
    sources = [secret.encode(), json.dumps({"username": USERNAME, "password": secret}).encode()]
    return [each for source in sources for each in _base64(source)]


def as_sign_in(secret):
    return _base64(f"{USERNAME}:{secret}".encode())


def in_hex(secret):
    digits = secret.encode().hex()
    return [digits, digits.upper(), secret.encode().hex(":"), "".join(f"\\x{byte:02x}" for byte in secret.encode())]


def in_utf16(secret):
    """As text it is what a reader makes of the bytes who takes each for a character."""
    return [secret.encode(f"utf-16-{order}").decode("latin-1") for order in ("le", "be")]


SPELLINGS = {
    "raw": raw,
    "JSON": as_json,
    "JSON in JSON": json_in_json,
    "URL": in_url,
    "form": in_form,
    "HTML": in_html,
    "base64": in_base64,
    "sign-in": as_sign_in,
    "hex": in_hex,
    "UTF-16": in_utf16,
}


def spell(secret):
    """Give every variant of every spelling as (name, text)."""
    return [(name, text) for name, variants in SPELLINGS.items() for text in dict.fromkeys(variants(secret))]


def needles(secret):
    """Give the bytes to search for in what was stored or shown, each with the name of its spelling."""
    found = {}
    for name, text in spell(secret):
        # UTF-16 is bytes already; everything else is stored as UTF-8
        found.setdefault(text.encode("latin-1" if name == "UTF-16" else "utf-8"), name)
    return found


def leaks(content, secret):
    """Name the spellings in which a secret stands in these bytes."""
    return sorted({name for needle, name in needles(secret).items() if needle in content})


def _base64(data):
    plain, url_safe = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()
    return [plain, plain.rstrip("="), url_safe, url_safe.rstrip("=")]


def _lower_hex(text):
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text)


def _utf16_units(text):
    data = text.encode("utf-16-be")
    return [int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data), 2)]
