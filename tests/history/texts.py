"""What a page says."""

import re
from html import unescape


def text_of(answer):
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(answer.content.decode()))
