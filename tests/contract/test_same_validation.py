"""The product and the reference node read the same requests alike, but for what is listed here with its reason."""

from dataclasses import dataclass
from itertools import product

import pytest

from setup_wizard.bootstrap.actions import Action
from tests.bootstrap.strategies import fields_of
from tests.contract.request_mutations import (
    as_sent_by_product,
    cases,
    field_named_by_node,
    fields,
    fields_named_by_product,
    is_accepted_by_node,
    is_accepted_by_product,
)

CREATE, JOIN, RECOVER = Action
ALL = tuple(Action)
PATHS = tuple(f"node.paths.{name}_path" for name in ("persistent", "ephemeral", "bigstore", "ccs_persistent"))
RACKS = ("node.identity.rack_id", "node.identity.second_rack_id")
COUNTS = ("node.limits.max_listeners", "node.limits.max_redis_servers", "retry_time")
OBJECTS = ("cluster", "node", "node.paths", "node.identity", "node.limits", "credentials", "policy", "dns_suffixes[]")
WORDS = (
    "node.identity.name",
    "node.bigstore_driver",
    "policy.default_sharded_proxy_policy",
    "policy.default_non_sharded_proxy_policy",
    "required_version",
)
LISTS = ("node.identity.external_addr", "dns_suffixes", "dns_suffixes[].slaves", "user_defined_modules")
NO_HOST = ("a space", "a direction mark inside", "a plus sign", "a port behind")


@dataclass(frozen=True)
class Permitted:
    """Requests that one side refuses and the other takes, for a reason: each mutation of each path for each action."""

    reason: str
    paths: tuple[str, ...]
    mutations: tuple[str, ...]
    actions: tuple[Action, ...] = (CREATE,)

    def rows(self):
        return product(self.actions, self.paths, self.mutations)


REFUSED_BY_PRODUCT = [
    Permitted(
        "an unknown key is a typing error, and a real node would ignore it", OBJECTS, ("an unknown key",), (JOIN,)
    ),
    Permitted("an unknown key is a typing error, and a real node would ignore it", ("",), ("an unknown key",), ALL),
    Permitted("which of two values is meant cannot be known", OBJECTS, ("a duplicate key",), (JOIN,)),
    Permitted("which of two values is meant cannot be known", ("",), ("a duplicate key",), ALL),
    Permitted("the product learns the action from the body alone", ("action",), ("left out", "null"), ALL),
    Permitted("nobody sees such a character", ("cluster.name",), ("a direction mark inside",), (JOIN, RECOVER)),
    Permitted("nobody sees such a character", (*PATHS, *WORDS), ("a direction mark inside",)),
    Permitted(
        "nobody sees such a character", ("credentials.username", "recovery_filename"), ("a direction mark inside",), ALL
    ),
    Permitted("a new cluster has a full name", ("cluster.name",), ("text",)),
    Permitted("a new cluster has no members", ("cluster.nodes",), ("as it should be", "a list of texts", "64 entries")),
    Permitted("a new cluster has no members", ("cluster",), ("as it should be",)),
    Permitted(
        "a new cluster has no members",
        ("cluster.nodes[]",),
        ("as it should be", "text", "upper case", "spaces around", "a line break at the end"),
    ),
    Permitted("a list has at most 64 entries", ("cluster.nodes",), ("65 entries", "256 entries"), ALL),
    Permitted("a list has at most 64 entries", LISTS, ("65 entries", "256 entries")),
    Permitted("a node does not join itself", ("cluster.nodes",), ("the node itself",), (JOIN,)),
    # a node reads its members only when it joins, and its name servers never
    Permitted("this is no host", ("cluster.nodes[]",), NO_HOST, (CREATE, RECOVER)),
    Permitted(
        "this is no host", ("dns_suffixes[].slaves[]",), (*NO_HOST, "nothing", "leading zeros", "255 characters")
    ),
    Permitted("resolvers disagree about leading zeros", ("cluster.nodes[]",), ("leading zeros",), ALL),
    Permitted("a label has at most 63 characters", ("cluster.nodes[]",), ("255 characters",), ALL),
    Permitted(
        "a suffix is a full domain name",
        ("dns_suffixes[].name",),
        (*NO_HOST, "nothing", "null", "text", "255 characters"),
    ),
    Permitted("a suffix is a full domain name", ("dns_suffixes[]",), ("an object",)),
    Permitted("a suffix is a full domain name", ("dns_suffixes",), ("an object in a list",)),
    Permitted("an e-mail address has at most 254 characters", ("credentials.username",), ("255 characters",), ALL),
    Permitted("an account has a name", ("credentials.username",), ("a space",), ALL),
    Permitted("a certificate is written in PEM", ("credentials.trusted_ca",), ("text",), ALL),
    Permitted("the node finds that out while it bootstraps", ("license",), ("text",)),
    Permitted("a file name has at most 255 characters", ("recovery_filename",), ("4096 characters",), ALL),
    Permitted("a space is not a file name", ("recovery_filename",), ("a space",), (RECOVER,)),
    Permitted(
        "a number over 2,147,483,647 is a typing error",
        COUNTS,
        ("beyond maximum 2147483647", "maximum 9007199254740992"),
    ),
    Permitted(
        "a number over 2,147,483,647 is a typing error",
        ("node.identity.uid",),
        ("beyond maximum 2147483647", "maximum 9007199254740992"),
        ALL,
    ),
    Permitted(
        "only digits in quotes are converted", (*COUNTS, "max_retries", "cnm_https_port"), ("seven as a fraction",)
    ),
    Permitted("only digits in quotes are converted", ("node.identity.uid",), ("seven as a fraction",), ALL),
    Permitted(
        "the cluster settles it when it is created",
        ("node.identity.use_internal_ipv6",),
        ("as it should be", "true"),
        (JOIN,),
    ),
    Permitted("a second rack needs a first", ("node.identity.second_rack_id",), ("without a first one",), (JOIN,)),
]
REFUSED_BY_NODE = [
    Permitted("the product trims what people paste", ("cluster.name", "node.identity.addr"), ("spaces around",)),
    Permitted(
        "the product trims what people paste",
        (*PATHS, *RACKS, "node.identity.external_addr[]", "policy.default_shards_placement"),
        ("spaces around",),
    ),
    Permitted(
        "the product trims what people paste",
        (
            "cluster.name",
            "node.identity.addr",
            *RACKS,
            "node.identity.external_addr[]",
            "policy.default_shards_placement",
        ),
        ("a line break at the end",),
    ),
    Permitted(
        "the product trims what people paste",
        ("cluster.nodes[]",),
        ("spaces around", "a line break at the end"),
        (JOIN,),
    ),
    Permitted("the product trims what people paste", ("credentials.username",), ("a line break at the end",), ALL),
    Permitted(
        "the product sends no empty text",
        (*PATHS, *RACKS, "node.identity.addr", "policy.default_shards_placement"),
        ("a space",),
    ),
    Permitted("the product sends no empty text", ("credentials.client_cert",), ("a space",), ALL),
    Permitted(
        "the product sends no empty text", ("node.identity.addr", "policy.default_shards_placement"), ("nothing",)
    ),
    Permitted(
        "the product sends a number, whichever was typed",
        (*COUNTS, "max_retries"),
        ("digits in quotes", "leading zeros"),
    ),
    Permitted(
        "a reference node takes certificates to join only", ("credentials",), ("a certificate",), (CREATE, RECOVER)
    ),
    Permitted(
        "the API asks for them beside the request", ("credentials",), ("null", "an object", "left out"), (RECOVER,)
    ),
]


@pytest.fixture(scope="module")
def table():
    """Each case with the outcomes of both sides."""
    return [(case, is_accepted_by_product(case), is_accepted_by_node(case)) for case in cases()]


def rows_of(permitted):
    return [row for entry in permitted for row in entry.rows()]


def differing(table, *, by_product):
    return {
        (case.action, case.path, case.mutation)
        for case, product_accepts, node_accepts in table
        if product_accepts not in {node_accepts, by_product}
    }


def test_the_table_has_every_field_of_both_schemas(table):
    tried = {case.path for case, *_ in table}

    assert tried >= set(fields())
    assert tried >= {*fields_of(), "action", "credentials.username", "credentials.password"}
    assert len(table) > 2000
    assert {case.path for case, *outcomes in table if outcomes == [True, True]} >= set(fields()) - {
        "credentials.client_cert",
        "credentials.client_key",
    }


def test_the_product_refuses_more_than_a_node_only_where_listed(table):
    assert differing(table, by_product=True) == set(rows_of(REFUSED_BY_PRODUCT))


def test_a_node_refuses_more_than_the_product_only_where_listed(table):
    assert differing(table, by_product=False) == set(rows_of(REFUSED_BY_NODE))


def test_product_and_node_name_the_same_field(table):
    # a lone surrogate is no JSON for the node, and another action makes other fields wrong
    refused_twice = [
        case
        for case, *outcomes in table
        if outcomes == [False, False] and case.mutation != "a lone surrogate" and case.path != "action"
    ]

    for case in refused_twice:
        field = field_named_by_node(case)
        named = fields_named_by_product(case)
        assert any(f"{name}.".startswith(f"{field}.") or field.startswith(f"{name}.") for name in named), case


def test_no_difference_is_listed_twice():
    rows = rows_of([*REFUSED_BY_PRODUCT, *REFUSED_BY_NODE])

    assert sorted(rows) == sorted(set(rows))


def test_a_node_accepts_every_request_of_the_product(table):
    unsigned = {row for entry in REFUSED_BY_NODE if entry.paths == ("credentials",) for row in entry.rows()}
    sent = [case for case, accepts, _ in table if accepts and (case.action, case.path, case.mutation) not in unsigned]

    assert [case for case in sent if not is_accepted_by_node(as_sent_by_product(case))] == []


def test_a_strict_node_refuses_unknown_keys(table):
    unknown = [case for case, *_ in table if case.mutation == "an unknown key"]

    assert len(unknown) == len(OBJECTS) + len(ALL)
    assert not any(is_accepted_by_node(case, strict=True) for case in unknown)
