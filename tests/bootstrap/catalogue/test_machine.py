import pytest

from setup_wizard.bootstrap.status import NodeFacts
from tests.bootstrap.catalogue.asking import JOIN, why


def test_memory_is_put_side_by_side():
    explanation = why("insufficient_node_memory", {"required_memory": 17179869184})

    assert "7.7 GiB here, 16 GiB needed" in explanation.meaning
    assert explanation.part == ""


def test_memory_for_a_named_node_names_the_one_it_replaces():
    request = {**JOIN, "node": {"identity": {"uid": 2}}}

    explanation = why("insufficient_node_memory", {"required_memory": 17179869184}, request=request)

    assert "was to take the place of node 2" in explanation.meaning


def test_flash_is_put_side_by_side_with_its_path():
    request = {**JOIN, "node": {"paths": {"bigstore_path": "/mnt/flash"}}}

    explanation = why("insufficient_node_flash", {"required_flash": 536870912000}, request=request)

    assert "at /mnt/flash: 200 GiB here, 500 GiB needed" in explanation.meaning
    assert explanation.part == "node.paths.bigstore_path"


@pytest.mark.parametrize(
    ("required", "facts", "said"),
    [
        (17179869184, NodeFacts(), "more memory: 16 GiB needed."),
        (17179869184, NodeFacts(total_memory=24137), "more memory: 16 GiB needed."),
        (48274, NodeFacts(total_memory=24137), "more memory: 24,137 here, 48,274 needed."),
        (None, NodeFacts(total_memory=8267988992), "more memory: 7.7 GiB here."),
        ("lots", NodeFacts(), "more memory than is here."),
        (-1, NodeFacts(), "more memory than is here."),
    ],
)
def test_figures_in_different_units_are_never_put_side_by_side(required, facts, said):
    assert said in why("insufficient_node_memory", {"required_memory": required}, facts=facts).meaning


@pytest.mark.parametrize(
    "code", ["socket_directory_mismatch", "node_config_mismatch", "internal_error", "time_not_sync"]
)
def test_nothing_in_the_request_is_blamed_for_the_machine(code):
    assert why(code).part == ""
