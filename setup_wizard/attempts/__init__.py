"""One bootstrap of one node, from the operator's Start to a verdict.

states, observations  the words, and what one look at a node can show
reducer/              pure: what was seen, and what it means
engine/               the only writer: begins, claims, exchanges, records, and takes the operator's choices
preflight, locks      every check before Start; one bootstrap at a time for a cluster
vault, scrub          credentials, sealed for as long as they are needed, and cut out of what comes back
sign_ins              how many refused sign-ins a cluster has seen from us, and how many more it may see
explanations/         why an attempt failed or waits for the operator, and what to do
visibility            the attempts that somebody may see
pubsub                tells web processes over Redis that an attempt has news
redis_client          makes every client of Redis
"""
