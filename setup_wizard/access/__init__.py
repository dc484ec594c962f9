"""Who may come in.

From the door inwards:

    views, forms    signing in and out, and the demo's one-time link
    links, models   those links: made, stored as digests, used up
    tokens          what programs come in with: issued, recognised, revoked
    throttle        so often a minute and no more
    middleware      no page of ours stays in a cache
    logs            no link stays in a log
    sessions        how long somebody stays signed in
    permissions     what one may do, and the decorator with which each view says what it takes
    roles           the groups that come with it: viewer, operator, reviewer, administrator
"""
