"""The guided setup: three steps, a review, and Start.

In the order of a setup:

    models.py           Draft: a setup that is still being filled in
    drafts.py           the only writer of drafts, by compare-and-set on (id, version), and of their sealed passwords
    steps.py            the steps of each action, the next one, and the form that holds a part of the request
    forms/              one form per step; they declare title, lead and fieldsets, one template renders them all
    node_summary.py     what a page shows of a probed node, and why it cannot be set up
    request_mapping.py  a draft's values as the request, and back
    review.py           all answers, all checks, and Start
    prefill.py          a new draft from an attempt: a retry, or the next node of the same cluster
    available_nodes.py  the listed nodes of the home page
"""
