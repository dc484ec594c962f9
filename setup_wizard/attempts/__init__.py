"""One bootstrap of one node, from the operator's Start to a verdict.

What moves it:

    states, observations  the words, and what one look at a node can show
    reducer/              pure: what was seen, and what it means
    engine/               the only writer: begins, claims, exchanges, records, and takes the operator's choices
    preflight, locks      every check before Start; one bootstrap at a time for a cluster
    vault, scrub          credentials, sealed for as long as they are needed, and cut out of what comes back
    supervisor, tasks     rings the worker when a tick is due; the worker's door
    watchdog, health      ends a worker that hangs; whether each part works

What shows it:

    stages, reasons       how far it has come; why it failed or rests, and what to do
    panel, pages          the attempt page and what changes on it
    bell, stream/         word of news, and how an open page hears it
    search, listing       which attempts a reader wants to see, and what the list shows of them
    admin, reviews        past attempts for reviewers: notes, marks and, by exports, files
    present, scope        attempts whose nodes are still there; attempts that somebody may see
    chores                what the supervisor tidies up for rooms above this one
    api/                  the same for programs
"""
