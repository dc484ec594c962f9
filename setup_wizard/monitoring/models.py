"""Heartbeats, and the histograms that all worker processes count into."""

from django.db import models


class Heartbeat(models.Model):
    """When a part last showed that it works; a web process has a heartbeat while it has open streams."""

    part = models.CharField(primary_key=True, max_length=80)
    at = models.DateTimeField()
    queue_lost_at = models.DateTimeField("queue unreachable since", null=True)
    streams = models.PositiveIntegerField("open streams of a web process", null=True)

    def __str__(self) -> str:
        return f"{self.part} at {self.at:%H:%M:%S}"


class HistogramBucket(models.Model):
    """One bucket of one histogram, shared by all worker processes. Only `histograms.py` writes it."""

    measure = models.CharField(max_length=32)
    labels = models.CharField("label values, separated by spaces", max_length=64)
    up_to = models.FloatField("upper bound in seconds; -1 for no bound")
    count = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField("sum of the measured times", default=0.0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["measure", "labels", "up_to"], name="one_row_per_bucket"),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.labels} up to {self.up_to:g} s: {self.count}"
