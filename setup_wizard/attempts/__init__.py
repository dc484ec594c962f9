"""One bootstrap of one node, from the operator's Start to a verdict.

states.py      the words: state, reason, choice
observations.py what one look at a node can show
reducer.py     pure: what was seen, and what it means
engine/        the only writer: begins, claims, exchanges, records, and takes the operator's choices
vault.py       credentials, sealed, for as long as an attempt needs them
supervisor.py  rings the worker when a tick is due, and keeps every deadline
tasks.py       the worker's door
pages.py       the attempt page, its panel and the list
"""
