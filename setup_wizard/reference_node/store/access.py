"""Who may sign in to a member's server.

An access list is neither copied to other servers nor part of what a server saves, so each server is given the same one
at its start, made from what the cluster's record keeps: nobody without a password, the administrator with the hash of
his, and two of the members' own with passwords derived from the cluster's secret.

Reference: ACL SETUSER.
"""

from setup_wizard.reference_node.membership import Cluster
from setup_wizard.reference_node.passwords import derive_password, hash_password

MEMBER = "member"
EVERYTHING = "~* &* +@all"
COPYING = "+psync +replconf +ping"


def account(username: str) -> str:
    """The name of a user in the access list: hexadecimal digits, since not every name is allowed there."""
    return username.encode().hex()


def copier(cluster: Cluster) -> tuple[str, str]:
    """The name and password of whoever copies from the primary; both random, as the secret is."""
    return "copy-" + derive_password(cluster.secret, "copier's name")[:16], derive_password(cluster.secret, "copier")


def member(cluster: Cluster) -> tuple[str, str]:
    """The name and password with which members read and write the record."""
    return MEMBER, derive_password(cluster.secret, "member")


def administrator_rules(cluster: Cluster) -> list[str]:
    """The administrator's rules, for a list of arguments."""
    return ["on", f"#{cluster.password}", *EVERYTHING.split(" ")]


def access_list(cluster: Cluster) -> tuple[str, ...]:
    """The lines of a server's access list; a cluster whose user name is not known yet has no administrator."""
    copying, copying_password = copier(cluster)
    writing, writing_password = member(cluster)
    lines = [
        f"user {copying} on #{hash_password(copying_password)} {COPYING}",
        f"user {writing} on #{hash_password(writing_password)} {EVERYTHING}",
    ]
    if cluster.username:
        lines.append(f"user {account(cluster.username)} {' '.join(administrator_rules(cluster))}")
    return tuple(lines)
