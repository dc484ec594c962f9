"""Past attempts: the list and its search, exports, and reviews in the admin site."""
