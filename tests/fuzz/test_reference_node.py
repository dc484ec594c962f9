"""A reference node does what its description says, whatever it is sent: schemathesis over every call, all checks."""

from collections.abc import Iterator
from contextlib import contextmanager
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
from tests.reference_node.background import background
from tests.reference_node.conftest import MARIA, Caller

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
validating = describe()
joined = describe({"administrator": []})
joined_requests = describe({"administrator": []})
# what asks for a cluster is answered so by a node without one, and described
fresh.config.checks.not_a_server_error.expected_statuses += ["503"]
# what is well-formed but cannot be done here is what a validation is for
validating.config.checks.positive_data_acceptance.expected_statuses += ["406"]
for members in (joined, joined_requests):
    members.auth.set_from_requests(HTTPBasicAuth(*MARIA))
# every field's limits are tried on a fresh node; these bodies have the same shape and are read by the same lines, so
# that what is drawn at random is enough
for same in (validating, joined_requests):
    same.config.phases.coverage.enabled = False


class Target:
    """A node, and a session that trusts the certificate that it shows and no other."""

    def __init__(self, url: str, certificate: Path) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.certificate = str(certificate)

    def try_with(self, case: schemathesis.Case) -> None:
        if case.path.endswith("/validate/join_cluster") and case.meta.generation.mode.is_positive:
            # it is asked at once whether they would take the node: nobody but this machine is
            case.body["cluster"]["nodes"] = ["127.0.0.1"]
        case.call_and_validate(base_url=self.url, session=self.session, verify=self.certificate)


@contextmanager
def serve(directory: Path, pace: float = LONG, *, create: bool = False) -> Iterator[Target]:
    node, public = Node(directory, pace=pace), directory / "public.pem"
    with background(node) as server:
        if create:
            caller = Caller(server.address)
            caller.create(node={"identity": {"rack_id": "rack-a"}})  # so that rack awareness can be turned on
            caller.wait_until("completed")
        public.write_text(public_part(node.certificate_path.read_bytes()))
        yield Target(f"https://{server.address}", public)


@pytest.fixture(scope="module")
def fresh_node(tmp_path_factory) -> Iterator[Target]:
    with serve(tmp_path_factory.mktemp("fresh")) as target:
        yield target


@pytest.fixture(scope="module")
def idle_node(tmp_path_factory) -> Iterator[Target]:
    with serve(tmp_path_factory.mktemp("idle")) as target:
        yield target


@pytest.fixture(scope="module")
def only_member(tmp_path_factory) -> Iterator[Target]:
    with serve(tmp_path_factory.mktemp("member"), 0.04, create=True) as target:
        yield target


drawing = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@fresh.exclude(path_regex="/validate/").parametrize()
@drawing
def test_a_fresh_node_does_what_its_description_says(case, fresh_node):
    fresh_node.try_with(case)


@validating.include(path_regex="/validate/").parametrize()
@drawing
def test_an_idle_node_validates_as_its_description_says(case, idle_node):
    idle_node.try_with(case)


@joined_requests.include(method="POST").parametrize()
@drawing
def test_a_member_reads_requests_as_its_description_says(case, only_member):
    only_member.try_with(case)


@joined.exclude(method="POST").parametrize()
@drawing
def test_a_member_does_what_its_description_says_when_signed_in(case, only_member):
    only_member.try_with(case)
