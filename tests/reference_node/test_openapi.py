"""A node does what its description says, whatever it is sent: schemathesis over every call, with all its checks."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from requests.auth import HTTPBasicAuth

from setup_wizard.reference_node.certificates import public_part
from setup_wizard.reference_node.control import read_description
from setup_wizard.reference_node.node import Node
from setup_wizard.reference_node.server import background

from .conftest import MARIA, Caller

# a bootstrap that has begun stays where it is for the whole of the run, so that every body is read to its end
LONG = 3600.0
DESCRIPTION = yaml.safe_load(read_description())


def describe(*security: dict) -> schemathesis.schemas.BaseSchema:
    """The description, with what a node asks of a sign-in in the one state that is looked at."""
    document = deepcopy(DESCRIPTION)
    for path in document["paths"].values():
        for operation in path.values():
            operation["security"] = list(security)
    return schemathesis.openapi.from_dict(document)


fresh = describe()
# what asks for a cluster is answered so by a node without one, and described
fresh.config.checks.not_a_server_error.expected_statuses += ["503"]
joined = describe({"administrator": []})
joined.auth.set_from_requests(HTTPBasicAuth(*MARIA))


class Target:
    """A node, and a session that trusts the certificate that it shows and no other."""

    def __init__(self, url: str, certificate: Path) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.certificate = str(certificate)

    def try_with(self, case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=self.url, session=self.session, verify=self.certificate)


def trust(node: Node, directory: Path) -> Path:
    path = directory / "public.pem"
    path.write_text(public_part(node.certificate_path.read_bytes()))
    return path


@pytest.fixture(scope="module")
def fresh_node(tmp_path_factory) -> Iterator[Target]:
    directory = tmp_path_factory.mktemp("fresh")
    node = Node(directory, pace=LONG)
    with background(node) as server:
        yield Target(f"https://{server.address}", trust(node, directory))


@pytest.fixture(scope="module")
def only_member(tmp_path_factory) -> Iterator[Target]:
    directory = tmp_path_factory.mktemp("member")
    node = Node(directory, pace=0.04)
    with background(node) as server:
        caller = Caller(server.address)
        caller.create()
        caller.wait_until("completed")
        yield Target(f"https://{server.address}", trust(node, directory))


drawing = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@fresh.parametrize()
@drawing
def test_a_fresh_node_does_what_its_description_says(case, fresh_node):
    fresh_node.try_with(case)


@joined.parametrize()
@drawing
def test_a_member_does_what_its_description_says_to_whoever_signs_in(case, only_member):
    only_member.try_with(case)
