"""Whether each process does its work: heartbeats, health checks, the banner on pages, and metrics."""
