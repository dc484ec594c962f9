"""`make demo`: the whole product on one machine, and the Django app with the pages that only the demo has.

The launcher, `python -m setup_wizard.project.demo`:

    __main__          the command line
    launcher          starts everything and creates the sign-in link
    programs          the programs that run, with their arguments and environments
    runner            starts programs, restarts and stops them
    exit_with_parent  ends a program when the launcher is killed
    leftovers         stops programs that a killed launcher left running
    broker            finds a Redis or Valkey server
    ports             chooses addresses, and checks that they are free
    directory         the files under `var/demo/`
    errors            why the demo cannot start

The app, installed when SETUP_WIZARD_DEMO is on:

    sign_in_links     links that sign in once; `models`, `views` and the commands `sign_in_link` and `open_demo`
    node_reset        replaces the nodes when all of them are in clusters
"""
