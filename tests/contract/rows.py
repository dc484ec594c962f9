"""What the published API promises, row by row: each row has a test of its name in this folder.

A row's slug is made of the API's own words, with underscores for dots, slashes and blanks, and its tests are called
`test_<kind>_<slug>…`. `tests/rules/test_contract.py` fails when a row has none. The first half of each table is the
published page, the rest is what newer pages and recorded nodes add to it.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Which table a row stands in."""

    PATH = "path"
    STATUS = "status"
    CODE = "code"
    STATE = "state"
    ROW = "row"


@dataclass(frozen=True)
class Row:
    """One promise; `words` is what stands in the page."""

    kind: Kind
    slug: str
    words: str

    @property
    def test(self):
        """The name with which its tests begin."""
        return f"test_{self.kind}_{self.slug}"

    def __str__(self):
        return f"{self.kind}_{self.slug}"


PATHS = {
    "get_bootstrap": "GET /v1/bootstrap",
    "post_bootstrap_create_cluster": "POST /v1/bootstrap/{action}, create_cluster",
    "post_bootstrap_join_cluster": "POST /v1/bootstrap/{action}, join_cluster",
    "post_bootstrap_recover_cluster": "POST /v1/bootstrap/{action}, recover_cluster",
    "post_bootstrap_validate_create_cluster": "POST /v1/bootstrap/validate/{action}, create_cluster",
    "post_bootstrap_validate_join_cluster": "POST /v1/bootstrap/validate/{action}, join_cluster",
    "post_bootstrap_validate_recover_cluster": "POST /v1/bootstrap/validate/{action}, recover_cluster",
    "get_nodes": "GET /v1/nodes",
    "get_cluster": "GET /v1/cluster",
    "get_cluster_check": "GET /v1/cluster/check",
    "get_nodes_uid": "GET /v1/nodes/{uid}",
    "get_cluster_policy": "GET /v1/cluster/policy",
    "get_license": "GET /v1/license",
    "get_nodes_status": "GET /v1/nodes/status",
    "get_actions": "GET /v1/actions",
    "get_modules": "GET /v1/modules",
    "get_ocsp": "GET /v1/ocsp",
    "head_of_any": "HEAD of what can be read with GET",
}

STATUS_CODES = {
    "get_200": "200 OK: No error",
    "post_200": "200 OK: Request received and processing begins.",
    "post_409": "409 Conflict: Bootstrap already in progress (check state)",
    "post_400": "JSON that cannot be parsed, is not an object or breaks the schema",
    "get_401": "once the node is part of an active cluster, authentication is required",
    "post_401": "the same of a request for a bootstrap",
    "get_403": "a role other than the administrator's is not allowed to read it",
    "get_404": "there is nothing at this path",
    "post_404": "there is no such action",
    "get_405": "a path that is only posted to",
    "post_405": "a path that is only read",
    "post_413": "a body of more than 1 MiB",
    "post_415": "a body that does not say that it is JSON",
    "get_503": "the node is not a member, and so has no cluster to tell of",
    "validate_200": "the bootstrap could be done",
    "validate_404": "an older node does not have this endpoint",
    "validate_406": "the bootstrap would end in the status that is the body",
    "validate_409": "Bootstrap already in progress (check state)",
}

CODES = {
    "config_error": "An error related to the bootstrap configuration provided",
    "connect_error": "Failed to connect to cluster",
    "access_denied": "Invalid credentials supplied.",
    "invalid_license": "The license string provided is invalid.",
    "repair_required": "Cluster is in degraded mode and can only accept replacement nodes.",
    "insufficient_node_memory": "the replaced node does not have enough memory",
    "insufficient_node_flash": "the replaced node does not have enough flash",
    "time_not_sync": "a node with system time not synchronized with the rest of the cluster",
    "rack_id_required": "a node with no rack_id in a rack-aware cluster",
    "socket_directory_mismatch": "a node with a socket directory setting that differs from the cluster",
    "node_config_mismatch": "a node with a configuration setting that differs from the cluster",
    "path_error": "A needed path does not exist or is not accessable.",
    "internal_error": "A different, unspecified internal error was encountered.",
}

STATES = {
    "idle": "No bootstrapping started.",
    "initiated": "Bootstrap request received.",
    "creating_cluster": "In the process of creating a new cluster.",
    "joining_cluster": "In the process of joining an existing cluster.",
    "error": "The last bootstrap action failed.",
    "completed": "The last bootstrap action completed successfully.",
    "recovering_cluster": "In the process of recovering a cluster, on newer nodes.",
}

STATUS_FIELDS = {
    "bootstrap_status_state": "Current bootstrap state.",
    "bootstrap_status_start_time": "Bootstrap process start time",
    "bootstrap_status_end_time": "Bootstrap process end time",
    "bootstrap_status_error_code": "If state is error, this error code describes the type of error encountered.",
    "bootstrap_status_error_details": "may contain additional information; message is a more verbose error message.",
}

NODE_FIELDS = {
    "local_node_info_uid": '"uid": 3',
    "local_node_info_software_version": '"software_version": "0.90.0-1"',
    "local_node_info_cores": '"cores": 2',
    "local_node_info_ephemeral_storage_path": '"ephemeral_storage_path": "/var/opt/redislabs/tmp"',
    "local_node_info_ephemeral_storage_size": '"ephemeral_storage_size": 1018889.8304',
    "local_node_info_os_version": '"os_version": "Ubuntu 14.04 LTS"',
    "local_node_info_persistent_storage_path": '"persistent_storage_path": "/var/opt/redislabs/persist/redis"',
    "local_node_info_persistent_storage_size": '"persistent_storage_size": 1018889.8304',
    "local_node_info_total_memory": '"total_memory": 24137',
    "local_node_info_uptime": '"uptime": 50278',
    "local_node_info_available_addrs": '"available_addrs": [...]',
    "local_node_info_available_addrs_address": '"address": "172.16.50.122"',
    "local_node_info_available_addrs_format": '"format": "ipv4"',
    "local_node_info_available_addrs_if_name": '"if_name": "eth0"',
    "local_node_info_available_addrs_private": '"private": true',
}

HEADERS = {
    "get_header_accept": "Accept: application/json: Accepted media type",
    "post_header_host": "Host: cnm.cluster.fqdn: Domain name",
    "post_header_accept": "Accept: application/json: Accepted media type",
}

REQUEST_FIELDS = {
    "request_action": "action: string: Action to perform",
    "request_cluster": "cluster: object cluster_identity: Cluster to join or create",
    "request_cluster_nodes": '"nodes": ["1.1.1.1", "2.2.2.2"]',
    "request_cluster_name": '"name": "my.cluster"',
    "request_node": "node: object node_identity: Node description",
    "request_node_paths_persistent_path": '"persistent_path": "/path/to/persistent/storage"',
    "request_node_paths_ephemeral_path": '"ephemeral_path": "/path/to/ephemeral/storage"',
    "request_node_paths_bigstore_path": '"bigstore_path": "/path/to/bigstore/storage"',
    "request_node_bigstore_driver": '"bigstore_driver": "rocksdb"',
    "request_node_identity_addr": '"addr": "1.2.3.4"',
    "request_node_identity_external_addr": '"external_addr": ["2001:0db8:85a3:0000:0000:8a2e:0370:7334", "3.4.5.6"]',
    "request_recovery_filename": "recovery_filename: the record of the cluster to recover, on newer nodes",
    "request_license": "license: string: License string",
    "request_credentials": "credentials: object credentials: Cluster admin credentials",
    "request_credentials_username": '"username": "my_username"',
    "request_credentials_password": '"password": "my_password"',
    "request_example_create": "the example of a create, whole",
    "request_example_join": "the example of a join, whole",
    "request_minimal_subset": "a bootstrap configuration JSON object, or a minimal subset",
}

SENTENCES = {
    "get_before_membership": "accepted as soon the cluster software is installed and before the node is part of one",
    "get_once_a_member": "Once the node is part of an active cluster, authentication is required.",
    "post_only_in_idle_or_error": "Bootstrapping is permitted only when the current bootstrap state is idle or error",
    "post_after_an_error_restarts": "in which case the process will restart with the new configuration",
    "post_is_asynchronous": "the caller is expected to poll bootstrap status while waiting for it to complete",
}

ROWS = [
    Row(kind, slug, words)
    for kind, table in [
        (Kind.PATH, PATHS),
        (Kind.STATUS, STATUS_CODES),
        (Kind.CODE, CODES),
        (Kind.STATE, STATES),
        *((Kind.ROW, table) for table in (STATUS_FIELDS, NODE_FIELDS, HEADERS, REQUEST_FIELDS, SENTENCES)),
    ]
    for slug, words in table.items()
]
assert len({row.test for row in ROWS}) == len(ROWS), "two rows have one name"
