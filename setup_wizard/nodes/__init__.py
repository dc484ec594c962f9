"""How we reach a node, in the order of a request.

address         parses the address that an operator entered
guard           resolves it, and checks whether this server may connect to it
certificates    parses the certificate of the TLS handshake; its fingerprint identifies the node
limits          timeouts and sizes
transport       one TLS connection to one checked IP address, used through `requests`
authentication  credentials for a cluster: password or client certificate
connection      one pinned connection: requests and answers, and what an error status means
client          the calls of a node's API over such a connection
clock_offset    how far its clock is from this server's
probe           the first contact with a node, before its certificate is approved
network_calls   lets network calls run in another thread than the work, which keeps its database connection
probing         probes for a user, with a rate limit and an audit log
cluster_reading what a cluster says about itself, read with a sign-in
membership      finds out which cluster a node is in
trust, models   approved certificates
errors          what can go wrong, one class for each decision
failures        messages for people about these errors
error_body      parses the body of an error answer
encodings       decodes text that may contain encoded secrets
redaction       masks secrets in what a node sends back
listeners       host and port of our own database, queue and pages
"""
