"""The web process is killed while a program's Start is on its way: all of the attempt is there, or nothing of it."""

import http.client
import json
from contextlib import closing

import pytest

from setup_wizard.failpoints import Point
from tests.faults.journal_checks import check_journals, describe
from tests.faults.system import PASSWORD
from tests.project.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.chaos, pytest.mark.timeout(200)]

BROKEN = (ConnectionError, http.client.HTTPException)
TABLES = {
    "attempts_attempt": "TRUE",
    "attempts_event": "TRUE",
    "access_auditevent": "action = 'start'",
}


class Program:
    """Somebody's script with a token for the JSON API."""

    def __init__(self, token):
        self.token = token

    def ask(self, web, path, document):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)) as connection:
            connection.request("POST", f"/api/v1{path}", json.dumps(document), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def start(self, web, node, cluster):
        _, seen = self.ask(web, "/probe", {"address": node})
        document = {
            "address": node,
            "fingerprint": seen["fingerprint"],
            "accept_new_certificate": True,
            "bootstrap": {
                "action": "create_cluster",
                "cluster": {"name": cluster, "nodes": []},
                "node": {"identity": {"addr": node.rpartition(":")[0]}},
                "credentials": {"username": "admin@example.com", "password": PASSWORD},
            },
        }
        return self.ask(web, "/attempts", document)


def rows(system):
    return {
        table: system.database.read(f"SELECT COUNT(*) AS number FROM {table} WHERE {which}")[0]["number"]
        for table, which in TABLES.items()
    }


def test_web_killed_at_start_leaves_all_of_it_or_nothing_and_the_program_may_ask_again(system, note):
    node, other, program = system.node(), system.node(), Program(system.token())
    before = system.web(f"{Point.START_COMMIT.value}=kill")
    with pytest.raises(BROKEN):
        program.start(before, node, "redis-before.example.com")
    wait_until(lambda: before.killed_itself)
    assert rows(system) == dict.fromkeys(TABLES, 0)

    after = system.web(f"{Point.START_COMMITTED.value}=kill")
    with pytest.raises(BROKEN):
        program.start(after, other, "redis-after.example.com")
    wait_until(lambda: after.killed_itself)
    assert rows(system) == dict.fromkeys(TABLES, 1)
    [begun] = [str(row["id"]) for row in system.database.read("SELECT id FROM attempts_attempt")]

    last = system.web()
    created, started = program.start(last, node, "redis-before.example.com")
    refused, problem = program.start(last, other, "redis-after.example.com")
    system.attempts |= {started["id"]: node, begun: other}
    system.supervisor()
    system.worker()
    ended = system.settled()

    assert (created, refused, problem["error"]) == (201, 409, "node_busy")
    assert [row["state"] for row in ended] == ["succeeded", "succeeded"]
    note("kill -9 of uvicorn before and after the commit of a POST", describe(check_journals(system)))
