"""How a bootstrap of a node ended, for the tests of error codes."""

from tests.reference_node.conftest import MARIA, Caller, create_body

NAME = "redis-prod.example.com"
PACE = 0.02
GIB = 1024**3
DAY = 24 * 60 * 60
# well after the certificates and the journals of today
FAR_FUTURE = 4_000_000_000


def statuses(caller: Caller) -> list[str]:
    return [entry["status"] for entry in caller.get("/v1/nodes", auth=MARIA).json()]


def ends_in(caller: Caller, code: str) -> dict:
    """Wait for the error, check that the node is unchanged and accepts a request, and give the details."""
    status = caller.wait_until("error", "completed")
    assert (status["state"], status.get("error_code")) == ("error", code)
    assert status["end_time"] >= status["start_time"]
    assert "uid" not in caller.get().json()["local_node_info"]
    again = caller.post("create_cluster", create_body(cluster={"name": "next.example.com"}))
    assert again.status_code == 200
    assert len(status["error_details"]["message"]) > 20
    return status["error_details"]
