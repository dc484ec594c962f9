"""Who may come in.

From the door inwards:

    views, forms    signing in and out, and the demo's one-time link
    links, models   those links: made, stored as digests, used up
    tokens          what programs come in with: issued, recognised, revoked
    first_admin        the first administrator, made with a setup token
    backends        how names and passwords are checked
    tries           how often a password may be tried
    hashing         passwords are hashed two at a time
    passwords       how easily a new password is guessed
    throttle        so often within a while and no more
    clients         from where a request comes
    middleware      what every request and answer gets: no cache, no other site, no feature that is not used
    audit, deeds    who did what; coming puts down who comes and goes, lasting are rows that nobody changes
    logs            no link stays in a log
    sessions        how long somebody stays signed in
    permissions     what one may do, and the decorator with which each view says what it takes
    roles           the groups that come with it: viewer, operator, reviewer, administrator
"""
