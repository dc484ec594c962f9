"""Times as on the other pages: 24 hours, in UTC, and with seconds where events follow each other closely."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i:s"
MONTH_DAY_FORMAT = "j F"
