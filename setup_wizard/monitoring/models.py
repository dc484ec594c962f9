"""Heartbeats of processes, and histograms that worker processes count together."""

from django.db import models


class Heartbeat(models.Model):
    """When a part last showed that it works; a web process has one while somebody watches its streams."""

    part = models.CharField(primary_key=True, max_length=80)
    at = models.DateTimeField()
    queue_lost_at = models.DateTimeField("since when the queue cannot be reached", null=True)
    streams = models.PositiveIntegerField("how many streams a web process has open", null=True)

    def __str__(self) -> str:
        return f"{self.part} at {self.at:%H:%M:%S}"


class HistogramBucket(models.Model):
    """One bucket of one histogram, counted by all worker processes together. `histograms.py` alone writes it."""

    measure = models.CharField(max_length=32)
    labels = models.CharField("the values of its labels, parted by spaces", max_length=64)
    up_to = models.FloatField("the bucket's upper bound in seconds; one that is out of every bound has -1")
    count = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField("the sum of what was counted", default=0.0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["measure", "labels", "up_to"], name="one_tally_a_bucket"),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.labels} up to {self.up_to:g} s: {self.count}"
