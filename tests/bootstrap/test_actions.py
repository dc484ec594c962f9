import pytest

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.status import NodeState


@pytest.mark.parametrize(
    ("action", "verb", "label", "path", "running"),
    [
        (Action.CREATE, "Create", "Create a cluster", "/v1/bootstrap/create_cluster", NodeState.CREATING_CLUSTER),
        (Action.JOIN, "Join", "Join a cluster", "/v1/bootstrap/join_cluster", NodeState.JOINING_CLUSTER),
        (Action.RECOVER, "Recover", "Recover a cluster", "/v1/bootstrap/recover_cluster", NodeState.RECOVERING_CLUSTER),
    ],
)
def test_an_action_knows_its_words_its_path_and_its_state(action, verb, label, path, running):
    assert (action.verb, action.label, action.path, action.running_state) == (verb, label, path, running)


def test_no_action_is_left_out():
    assert set(Action) == {"create_cluster", "join_cluster", "recover_cluster"}
