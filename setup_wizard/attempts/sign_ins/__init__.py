"""Keep our refused sign-ins below the number that locks an account, over all attempts and users.

By default a cluster locks an account after five refused sign-ins, for everyone who uses it. So each sign-in is reserved
here before it is sent. It counts when it was refused, when no answer came, and when its process died. It does not count
when it was accepted or the cluster certainly did not check it.

The tables hold hashes with keys derived from those that encrypt credentials: they do not reveal a cluster, user name or
password.

    with sign_ins.reserved(account, credentials):
        node.cluster(sign_in)
"""

from setup_wizard.attempts.sign_ins.accounts import Account
from setup_wizard.attempts.sign_ins.policies import needs_policy, save_policy
from setup_wizard.attempts.sign_ins.reservations import (
    RefusedSignIns,
    Reservation,
    SignInBlocked,
    allow_once,
    blocked,
    count_bootstrap_as_lost,
    count_refused,
    purge,
    reserve,
    reserved,
    save_bootstrap_outcome,
    was_refused,
)

__all__ = [
    "Account",
    "RefusedSignIns",
    "Reservation",
    "SignInBlocked",
    "allow_once",
    "blocked",
    "count_bootstrap_as_lost",
    "count_refused",
    "needs_policy",
    "purge",
    "reserve",
    "reserved",
    "save_bootstrap_outcome",
    "save_policy",
    "was_refused",
]
