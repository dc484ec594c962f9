"""Where an exchange with a node stopped, in words that follow its address."""

PHASES = {
    "dns": "its name does not resolve",
    "connect": "nothing answers on its port",
    "tls": "it does not complete a TLS handshake",
    "request": "it closes the connection when it is asked",
    "answer": "its answer does not arrive",
    "member": "the member that knows its cluster's name cannot be asked",
}
