import pytest

from setup_wizard.bootstrap.status import NodeFacts
from tests.bootstrap.error_catalogue.failures import JOIN, explain_failure


def test_memory_here_and_needed_is_shown():
    explanation = explain_failure("insufficient_node_memory", {"required_memory": 17179869184})

    assert "7.7 GiB here, 16 GiB needed" in explanation.meaning
    assert explanation.part == ""


def test_too_little_memory_names_the_node_to_replace():
    request = {**JOIN, "node": {"identity": {"uid": 2}}}

    explanation = explain_failure("insufficient_node_memory", {"required_memory": 17179869184}, request=request)

    assert "too little memory to replace node 2" in explanation.meaning


def test_flash_here_and_needed_is_shown_with_its_path():
    request = {**JOIN, "node": {"paths": {"bigstore_path": "/mnt/flash"}}}

    explanation = explain_failure("insufficient_node_flash", {"required_flash": 536870912000}, request=request)

    assert "at /mnt/flash to replace the failed node" in explanation.meaning
    assert ": 200 GiB here, 500 GiB needed." in explanation.meaning
    assert explanation.part == "node.paths.bigstore_path"


@pytest.mark.parametrize(
    ("required", "facts", "said"),
    [
        (17179869184, NodeFacts(), "com: 16 GiB needed."),
        (17179869184, NodeFacts(total_memory=24137), "com: 16 GiB needed."),
        (48274, NodeFacts(total_memory=24137), "com: 24,137 here, 48,274 needed."),
        (None, NodeFacts(total_memory=8267988992), "com: 7.7 GiB here."),
        ("lots", NodeFacts(), "in redis-prod.example.com. The node"),
        (-1, NodeFacts(), "in redis-prod.example.com. The node"),
    ],
)
def test_sizes_in_different_units_are_never_compared(required, facts, said):
    assert said in explain_failure("insufficient_node_memory", {"required_memory": required}, facts=facts).meaning


@pytest.mark.parametrize(
    "code", ["socket_directory_mismatch", "node_config_mismatch", "internal_error", "time_not_sync"]
)
def test_machine_errors_blame_no_field(code):
    assert explain_failure(code).part == ""
