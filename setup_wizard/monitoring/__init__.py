"""Heartbeats, health checks, metrics, and the banner that pages show when a process is down."""
