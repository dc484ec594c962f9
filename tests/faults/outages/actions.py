"""What every outage is tried on: a deployment, a node that watches, and who asks meanwhile."""

import json
import threading

from tests.faults.canary import FACTS
from tests.faults.deployment import timed
from tests.nodes.servers import IDLE, Server, answer

STARTS_WITHIN = 4  # to wait once for a queue that is frozen takes 5 s; `make bench` measures the 1 s that is promised
REPORTED_WITHIN = 30
GOES_ON_WITHIN = 35
GREEN_WITHIN = 40
DOWN = 20  # long enough for a worker's second thoughts about connecting to grow


def attempt_of(deployment, attempt):
    return json.loads(deployment.call(f"/attempts/{attempt}", method="GET").text)


def press_start(deployment, address, cluster):
    """Everything up to the review page, and then Start; gives the attempt's id, and the seconds that Start took."""
    took, client = [], deployment.client
    post = client.post

    def note(path, **fields):
        page, seconds = timed(lambda: post(path, **fields))
        took.append(seconds)
        return page

    client.post = note
    try:
        return client.create(address, cluster=cluster), took[-1]
    finally:
        client.post = post


class Watched:
    """A node that, once it is `armed`, takes the database away at its baseline, and notes what it is sent then.

    It is an older one, without a check of its own: the GET after that question is the baseline.
    """

    def __init__(self, take_away):
        self.asked, self.posted, self.armed = threading.Event(), threading.Event(), threading.Event()

        is_checked = False

        def script(peer):
            nonlocal is_checked
            while request := peer.read_request():
                if request.path.startswith("/v1/bootstrap/validate/"):
                    is_checked = True
                    peer.send(answer(404, {}))
                    continue
                if request.method == "POST":
                    self.posted.set()
                elif is_checked and self.armed.is_set() and not self.asked.is_set():
                    take_away()
                    self.asked.set()
                peer.send(answer(200, IDLE | {"local_node_info": FACTS}))

        self.server = Server(script)
        self.address = str(self.server.endpoint.address)


def pages(deployment, attempt):
    """Everything that somebody who is signed in, or a script, may be looking at."""
    person = {"Cookie": f"sessionid={deployment.client.cookies['sessionid']}"}
    script = {"Authorization": f"Bearer {deployment.token}"}
    paths = ["/", "/setup/", "/attempts/", f"/attempts/{attempt}/", f"/attempts/{attempt}/stream", "/admin/"]
    partials = [f"/attempts/{attempt}/panel/?after=0", "/banner/?shown="]
    calls = ["/api/v1/attempts", f"/api/v1/attempts/{attempt}", f"/api/v1/attempts/{attempt}/events?after=0"]
    yield from ((path, person) for path in paths)
    yield from ((path, person | {"HX-Request": "true"}) for path in partials)
    yield from ((path, script) for path in calls)
