"""One bootstrap of one node, from the operator's Start to the result.

states, observations  states and reasons; the possible results of one exchange with a node
choices               what an operator can choose
reducer/              pure: decides what an observation means
engine/               the only writer: starts, claims, exchanges, records, applies choices
preflight/, locks     every check before Start; one bootstrap at a time for a cluster
vault, scrub          encrypted credentials; masks secrets in a node's answers
sign_ins/             keeps refused sign-ins below a cluster's lockout
explanations/         why an attempt failed or waits for the operator, and what to do
visibility            which attempts a user may see
pubsub                notifies web processes over Redis
redis_client          makes all Redis clients
"""
