"""Tell open pages, live, that there is news of the attempt they show.

A message says only that there is news; the page then fetches the panel by the ordinary view. So loss, repetition and
order do not matter, and language, role and token are right for each viewer.

views.py         the view, and what goes over one stream
viewers.py       who watches what, and how many may
broadcaster.py   one per process: notified over Redis, looks once a second, tells all viewers
rows.py          the questions to the database, each for all viewers together
process.py       this process's broadcaster, and its end
threads.py       stream requests share a few threads, so that an open stream keeps none

Reference: docs/failure-modes.md, D10 and rows 51 to 54.
"""
