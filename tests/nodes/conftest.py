import pytest

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, ClusterIdentity, Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.nodes.client import NodeSignIn
from tests.nodes.servers import PlainServer, Server

PASSWORD = 'CANARY-"pä\\ss wörd&<7>'


@pytest.fixture
def serve():
    """Start servers and stop them at the end of the test."""
    servers = []

    def start(script, *, plain=False, **options):
        server = (PlainServer if plain else Server)(script, **options)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def create_request():
    return BootstrapRequest(
        action=Action.CREATE,
        cluster=ClusterIdentity(name="prod.example.com"),
        credentials=Credentials(username="maria@example.com", password=Secret(PASSWORD)),
    )


@pytest.fixture
def maria_signs_in():
    return NodeSignIn("maria@example.com", Secret(PASSWORD))
