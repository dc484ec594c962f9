"""One bootstrap of one node, from the operator's Start to a verdict.

states.py      the words: state, reason, choice
observations.py what one look at a node can show
reducer.py     pure: what was seen, and what it means
engine/        the only writer: begins, claims, exchanges, records, and takes the operator's choices
vault.py       credentials, sealed, for as long as an attempt needs them
supervisor.py  rings the worker when a tick is due, and keeps every deadline
tasks.py       the worker's door
pages.py       the attempt page, its panel and the list
search.py      which attempts a reader wants to see; listing.py: what the list shows of them
admin.py       past attempts for reviewers, with exports.py and reviews.py: files, notes and marks
"""
