"""Past attempts: the list and its search, exports, and the administration's review."""
