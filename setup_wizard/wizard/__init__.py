"""The guided setup: three short steps, a review, and Start.

In the order a setup runs:

    models.py    Draft: a setup that is still being filled in
    drafts.py    the only writer of drafts, by compare-and-set on (id, version), and of their sealed credentials
    steps.py     the steps as data: which there are, which is next, which form holds a part of the request
    forms/       one form for each step; they declare title, lead and fieldsets, one template renders any of them
    cards.py     what a page shows of a node that was asked, and what stands in the way
    document.py  a draft's values as the request, and back
    review.py    everything on one page, the checks, and Start
    prefill.py   a new draft from an attempt: again after a failure, or the next node of the same cluster
    views.py     the doors
"""
