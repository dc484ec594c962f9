"""The description of a node's API matches its routes and its answers; tests/fuzz sends it random requests."""

import pytest
import schemathesis
import yaml

from setup_wizard.reference_node.api import ROUTES
from setup_wizard.reference_node.control import read_description
from setup_wizard.reference_node.options import Dialect

from .conftest import MARIA, Caller

DESCRIPTION = yaml.safe_load(read_description())


@pytest.fixture(scope="module")
def described():
    return schemathesis.openapi.from_dict(DESCRIPTION)


def test_every_path_that_a_node_has_is_described():
    described = {path: {method.upper() for method in methods} for path, methods in DESCRIPTION["paths"].items()}
    assert described == {path: set(methods) for path, methods in ROUTES.items() if not path.startswith("/_cluster/")}


@pytest.mark.parametrize("dialect", Dialect)
def test_both_dialects_are_described(serve, described, dialect):
    node = Caller(serve(dialect=dialect).address)
    operation = described["/v1/bootstrap"]["GET"]
    operation.validate_response(node.get())
    node.create()
    node.wait_until("completed")

    answer = node.get(auth=MARIA)

    operation.validate_response(answer)
    facts = DESCRIPTION["components"]["schemas"][f"{dialect.capitalize()}Facts"]
    assert set(answer.json()["local_node_info"]) <= set(facts["properties"])


def test_a_replaced_node_answers_503_as_described(serve, described):
    server = serve()
    node = Caller(server.address)
    node.create()
    node.wait_until("completed")
    server.node.member._replaced_message = "127.0.0.1:9443 knows another node as node 1"

    answers = (node.get(auth=MARIA), node.post("create_cluster", {}, auth=MARIA))

    for answer, path, method in zip(
        answers, ("/v1/bootstrap", "/v1/bootstrap/create_cluster"), ("GET", "POST"), strict=True
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (503, "unavailable")
        assert "503" in DESCRIPTION["paths"][path][method.lower()]["responses"]
        described[path][method].validate_response(answer)
