"""`make demo`: the whole product on one machine, kept running, and a link that opens it.

What is where:

    __main__    the command line, and what is said to the person at the terminal
    opening     which steps lead to the link
    parts       what runs, with which arguments, and what each part is allowed to know
    runner      starts the parts, starts them again, stops them
    tether      makes a part end with its runner
    stale       stops what a runner that was killed left behind
    broker      finds a server to be the doorbell
    ports       finds addresses that are free
    directory   everything that is kept, under `var/demo/`
    errors      why the demo cannot start
"""
