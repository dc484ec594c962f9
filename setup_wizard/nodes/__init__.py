"""How we reach a node, in the order a request goes.

address         what an operator typed, read strictly
guard           which addresses this server may talk to; a name is resolved here, once
certificates    what a node shows in its TLS handshake; the fingerprint is its identity
limits          seconds and bytes: what a node may cost us
transport       one TLS connection to one checked IP address, driven by `requests`
client          the two calls of the bootstrap API over a pinned connection
probe           the first look at a node nobody has approved yet
probing         probes for a user, with a rate limit
authentication  the credentials for a cluster
membership      which cluster a node is in, asked with a sign-in that nothing keeps
trust, models   the certificates that operators approved
errors          what can go wrong, one class for each decision
failures        the same in plain words, for a form field
encodings       undoes JSON, URL, HTML, base64 and hex, and says where each character came from
redaction       masks secrets in what a node sends back
"""
