"""What the explanations take from a node's words, so that it survives when the words have to be masked."""

import re

from setup_wizard.bootstrap.catalogue import paths, setup


def find_keywords(message: str) -> list[str]:
    """Give the phrases of a message that the explanations look for, each once; what stands in paths is left out."""
    said = re.sub(r"/\S*", "", message).lower()
    found = (re.search(words, said) for words in (*setup.PHRASES, *paths.PHRASES))
    return list(dict.fromkeys(match[0] for match in found if match))
