import pytest

from setup_wizard.bootstrap.actions import Action


@pytest.mark.parametrize(
    ("action", "verb", "label", "path"),
    [
        (Action.CREATE, "Create", "Create a cluster", "/v1/bootstrap/create_cluster"),
        (Action.JOIN, "Join", "Join a cluster", "/v1/bootstrap/join_cluster"),
        (Action.RECOVER, "Recover", "Recover a cluster", "/v1/bootstrap/recover_cluster"),
    ],
)
def test_an_action_has_a_verb_a_label_and_a_path(action, verb, label, path):
    assert (action.verb, action.label, action.path) == (verb, label, path)


def test_there_are_three_actions():
    assert set(Action) == {"create_cluster", "join_cluster", "recover_cluster"}
