"""As on every page of ours: 24 hours, in UTC, and to the second where two events follow each other."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i:s"
MONTH_DAY_FORMAT = "j F"
