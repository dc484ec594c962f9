"""Failed bootstraps, and what the tests read of their explanations."""

from setup_wizard.bootstrap.error_catalogue import ErrorCode, explain
from setup_wizard.bootstrap.secret import MASK
from setup_wizard.bootstrap.status import NodeFacts

JOIN = {
    "action": "join_cluster",
    "cluster": {"name": "redis-prod.example.com", "nodes": ["10.0.0.5"]},
    "node": {"paths": {"persistent_path": "/mnt/data", "ephemeral_path": "/mnt/tmp"}, "identity": {"addr": "10.0.0.7"}},
    "credentials": {"username": "admin@example.com", "password": MASK},
}
CREATE = {**JOIN, "action": "create_cluster", "cluster": {"name": "redis-prod.example.com", "nodes": []}}
FACTS = NodeFacts.from_json(
    {
        "software_version": "7.22.0-216",
        "total_memory": 8267988992,
        "bigredis_storage_size": 214748364800,
        "available_addresses": [{"address": "10.0.0.7"}, {"address": "172.17.0.1", "if_name": "docker0"}],
    }
)
RACK = "node.identity.rack_id"
UID = "node.identity.uid"

# for each code two details that a node could send; each must show in its text
TWO_SAMPLES = {
    ErrorCode.CONFIG_ERROR: ({"message": "bad rack_id x1"}, {"message": "bad address y2"}),
    ErrorCode.CONNECT_ERROR: ({"message": "no route to host 111"}, {"message": "timed out after 30"}),
    ErrorCode.ACCESS_DENIED: ({"message": "401 from 10.0.0.5"}, {"message": "locked until 14:02"}),
    ErrorCode.INVALID_LICENSE: ({"violation_code": "shards_limit"}, {"violation_code": "expired"}),
    ErrorCode.REPAIR_REQUIRED: (
        {"failed_nodes": [{"uid": 2, "rack_id": "rack-a"}], "replace_candidate": 2},
        {"failed_nodes": [{"uid": 3}, {"uid": 5}], "replace_candidate": 5},
    ),
    ErrorCode.INSUFFICIENT_NODE_MEMORY: ({"required_memory": 17179869184}, {"required_memory": 34359738368}),
    ErrorCode.INSUFFICIENT_NODE_FLASH: ({"required_flash": 536870912000}, {"required_flash": "644245094400"}),
    ErrorCode.TIME_NOT_SYNC: ({"offset_seconds": 37}, {"offset_seconds": 95}),
    ErrorCode.RACK_ID_REQUIRED: ({"current_rack_ids": ["rack-a"]}, {"current_rack_ids": ["rack-b", "rack-c"]}),
    ErrorCode.SOCKET_DIRECTORY_MISMATCH: ({"message": "/tmp here"}, {"message": "/srv/run here"}),
    ErrorCode.NODE_CONFIG_MISMATCH: ({"message": "osuser differs"}, {"message": "confdir differs"}),
    ErrorCode.PATH_ERROR: ({"message": "/mnt/data: not found"}, {"message": "/mnt/tmp: permission denied"}),
    ErrorCode.INTERNAL_ERROR: ({"message": "ccs did not start"}, {"message": "disk full"}),
}


def explain_failure(code, details=None, *, request=JOIN, node="10.0.0.7:9443", facts=FACTS):
    return explain(code, details or {}, request=request, node=node, facts=facts)


def text_of(explanation):
    labels = [remedy.label for remedy in explanation.remedies]
    cells = [cell for row in figures(explanation) for cell in row if cell]
    texts = [explanation.title, explanation.meaning, *explanation.causes, *explanation.checks, *labels, *cells]
    return "\n".join(texts)


def figures(explanation):
    return [(each.label, each.here, each.cluster, each.needed) for each in explanation.figures]


def buttons(explanation):
    return [(remedy.label, dict(remedy.values)) for remedy in explanation.remedies]


def paths(value, before=""):
    for key, item in value.items():
        yield f"{before}{key}"
        if isinstance(item, dict):
            yield from paths(item, f"{before}{key}.")
