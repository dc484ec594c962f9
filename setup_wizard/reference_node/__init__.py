"""A node to practise on: it behaves as a Redis Enterprise node does while it is being set up.

Start it with ``python -m setup_wizard.reference_node``. The rooms, from the outside in:

    __main__        the command line
    hosting         the nodes of one process: where each has its place, and the life that they share
    server          sockets, TLS and the loop that everything runs in
    reception       accepts connections, before TLS
    protocol        one connection: what arrived on it, and how it may be cut
    api             paths, methods, sign-in: from a request to an answer
    messages        a request as it arrived, an answer and the way in which it leaves
    faults          what may be made to go wrong, one class each (control: while it runs)
    node            one node: its record, its certificate, its bootstrap
    lifecycle       the states of a bootstrap, pure
    configuration   a bootstrap request, checked at the door (schema: the shape of its JSON)
    fitness, agreement  what a request must fit: the node itself, and the cluster that it is to join
    creation, joining, recovery, storage what a bootstrap really does
    membership      the cluster as one of its members knows it
    cluster_member  what a member asks of the others and answers them (exchange, peers: how they talk)
    store           the file in which a member keeps what it knows of its cluster
    options, machine, interfaces, mounts what the node is said to be, and what the machine says of itself
    license             practice licenses, and the tool for them
    errors          what can go wrong for good reasons
    record, journal, certificates, passwords, seal, files    what lies on the disk
"""
