"""Stands in for a Redis Enterprise node that is being set up; start it with ``python -m setup_wizard.reference_node``.

__main__        the command line
options         what a node pretends to be (machine: the true facts)
hosting         the nodes of one process
server          sockets and TLS (acceptor: new connections, protocol: one connection)
api             paths, methods, sign-in (messages: requests and answers, schema: the shape of a request)
control         the control port
faults          what goes wrong on purpose
node            one node and its bootstrap (lifecycle: its states, record: what it keeps on its disk)
bootstrap_plan  the request of a bootstrap as a type
checks          what a request must fit: the node, and the cluster that it joins (storage: the directories)
new_cluster     how a cluster is created or recovered
joining         how a node joins a cluster
membership      the cluster as one of its members knows it (recovery_file: its file, lockout: when an account is locked)
cluster_member  what a member asks of the others and answers them (peers: one request, documents: as JSON)
license         practice licenses, and the tool for them
errors, files, certificates
"""
