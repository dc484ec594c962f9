"""One format for every moment: 24 hours, with seconds and the time zone."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i:s T"
MONTH_DAY_FORMAT = "j F"
