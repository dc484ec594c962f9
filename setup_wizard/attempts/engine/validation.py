"""Let the node validate the request before the bootstrap, in a separate tick."""

from django.views.decorators.debug import sensitive_variables

from setup_wizard.attempts import sign_ins
from setup_wizard.attempts.engine.lease import Lease
from setup_wizard.attempts.node_validation import ask_to_validate, save_sign_in_outcome
from setup_wizard.attempts.observations import CredentialsMissing, Observation, Seen
from setup_wizard.attempts.reducer import may_submit, pins
from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import Credentials, parse_request
from setup_wizard.nodes import client
from setup_wizard.nodes.guard import Endpoint
from setup_wizard.nodes.redaction import Redaction


@sensitive_variables()
def validate(lease: Lease, endpoint: Endpoint, credentials: Credentials | None, redaction: Redaction) -> Observation:
    """Ask the node to validate the request, including the credentials.

    As for the bootstrap itself, they are sent only over an approved certificate, and after an answer that only a node
    gives.

    Raises:
        NodeError: nothing was sent.
        SignInBlocked: the node would use these credentials at the cluster, and they may not be sent now.
    """
    with client.connect(endpoint, pins(lease.snapshot), redaction=redaction) as node:
        baseline = node.bootstrap_answer().status
        if not may_submit(lease.snapshot, baseline):
            return Seen(baseline, node.certificate.fingerprint)
        if credentials is None:
            return CredentialsMissing()
        request = parse_request(lease.attempt.request, credentials_required=False).with_credentials(credentials)
        if not node.is_open:
            node.reopen()
        if lease.snapshot.action is not Action.JOIN:  # only a join uses the credentials at a cluster
            return ask_to_validate(node, request)
        account = sign_ins.Account.of(lease.snapshot, credentials.username)
        with sign_ins.reserved(account, credentials) as sent:
            seen = ask_to_validate(node, request)
            save_sign_in_outcome(sent, seen)
        return seen
