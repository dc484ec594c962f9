"""What an error code means for this node, with its own numbers, and the way back to the field that is to change."""

from setup_wizard.bootstrap.catalogue.codes import ErrorCode
from setup_wizard.bootstrap.catalogue.explanations import Explanation, Remedy, explain
from setup_wizard.bootstrap.catalogue.gist import find_keywords
from setup_wizard.bootstrap.catalogue.setup import FIELDS
from setup_wizard.bootstrap.catalogue.shapes import START_AGAIN

__all__ = ["FIELDS", "START_AGAIN", "ErrorCode", "Explanation", "Remedy", "explain", "find_keywords"]
