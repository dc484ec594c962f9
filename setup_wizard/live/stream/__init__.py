"""Notify open pages that the attempt they show has changed.

A message says only that something changed; the page then requests the panel from the ordinary view. So messages may be
lost, repeated or out of order, and language, role and CSRF token are right for each viewer.

views.py         the view, and the messages of one stream
open_streams.py  open streams, and how many there may be
broadcaster.py   one for each process: polls the database, listens to Redis, notifies all streams
queries.py       the database queries, each for all streams together
process.py       the broadcaster of this process, and its shutdown
timing.py        how often a stream is polled and pinged, and its timeouts
threads.py       lets stream requests share a few threads
"""
