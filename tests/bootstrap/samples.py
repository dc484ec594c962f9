"""Documents that real and documented nodes send, and requests that people make."""

DOCUMENTED_ANSWER = {
    "bootstrap_status": {
        "start_time": "2014-08-29T11:19:49Z",
        "end_time": "2014-08-29T11:19:49Z",
        "state": "completed",
    },
    "local_node_info": {
        "uid": 3,
        "software_version": "0.90.0-1",
        "cores": 2,
        "ephemeral_storage_path": "/var/opt/redislabs/tmp",
        "ephemeral_storage_size": 1018889.8304,
        "os_version": "Ubuntu 14.04 LTS",
        "persistent_storage_path": "/var/opt/redislabs/persist/redis",
        "persistent_storage_size": 1018889.8304,
        "total_memory": 24137,
        "uptime": 50278,
        "available_addrs": [
            {"address": "172.16.50.122", "format": "ipv4", "if_name": "eth0", "private": True},
            {"address": "10.0.3.1", "format": "ipv4", "if_name": "lxcbr0", "private": True},
            {"address": "172.17.0.1", "format": "ipv4", "if_name": "docker0", "private": True},
            {"address": "2001:db8:0:f101::1", "format": "ipv6", "if_name": "eth0", "private": False},
        ],
    },
}

REAL_ANSWER = {
    "bootstrap_status": {"state": "idle", "start_time": None, "end_time": None},
    "local_node_info": {
        "uid": "1",
        "software_version": "7.22.0-216",
        "architecture": "x86_64",
        "cores": 4,
        "ephemeral_storage_path": "/var/opt/redislabs/tmp",
        "ephemeral_storage_size": 1081100128256.0,
        "persistent_storage_path": "/var/opt/redislabs/persist",
        "persistent_storage_size": 1081100128256.0,
        "bigredis_storage_path": "/var/opt/redislabs/flash",
        "bridge_interfaces": ["br7"],
        "cnm_version_sha": "3f2c1e",
        "fips_enabled": False,
        "os_family": "debian",
        "os_name": "ubuntu",
        "os_semantic_version": "22.04",
        "os_version": "Ubuntu 22.04.5 LTS",
        "short_hostname": "redis-7",
        "supported_bigstore_drivers": ["rocksdb", "speedb"],
        "supported_database_versions": [{"db_type": "redis", "version": "7.4"}],
        "total_memory": 16766763008,
        "uptime": 390,
        "available_addresses": [
            {"address": "10.0.0.7", "format": "ipv4", "if_name": "ens5", "private": True},
            {"address": "192.168.7.1", "format": "ipv4", "if_name": "br7", "private": True},
        ],
    },
}

DOCUMENTED_JOIN = {
    "action": "join_cluster",
    "cluster": {"nodes": ["1.1.1.1", "2.2.2.2"]},
    "node": {
        "paths": {
            "persistent_path": "/path/to/persistent/storage",
            "ephemeral_path": "/path/to/ephemeral/storage",
            "bigstore_path": "/path/to/bigstore/storage",
        },
        "bigstore_driver": "rocksdb",
        "identity": {
            "addr": "1.2.3.4",
            "external_addr": ["2001:0db8:85a3:0000:0000:8a2e:0370:7334", "3.4.5.6"],
        },
    },
    "credentials": {"username": "my_username", "password": "my_password"},
}

DOCUMENTED_CREATE = {
    "action": "create_cluster",
    "cluster": {"nodes": [], "name": "my.cluster"},
    "node": DOCUMENTED_JOIN["node"],
    "license": "",
    "credentials": {"username": "my_username", "password": "my_password"},
}

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIBszCCARwCCQ\n-----END CERTIFICATE-----"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----"
LICENSE = "----- LICENSE START -----\nAbC123\nDeF456\n----- LICENSE END -----"

# every field that a request can have, with a secret wherever one can be
EVERYTHING = {
    "action": "create_cluster",
    "cluster": {"name": "redis-prod.example.com", "nodes": [], "wait_command": True},
    "node": {
        "paths": {
            "persistent_path": "/mnt/data",
            "ephemeral_path": "/mnt/tmp",
            "bigstore_path": "/mnt/flash",
            "ccs_persistent_path": "/mnt/ccs",
        },
        "bigstore_enabled": True,
        "bigstore_driver": "speedb",
        "limits": {"max_listeners": 100, "max_redis_servers": 0},
        "identity": {
            "uid": 4,
            "accept_servers": False,
            "addr": "10.0.0.7",
            "external_addr": ["203.0.113.7"],
            "name": "redis-7",
            "override_rack_id": False,
            "rack_id": "rack-a",
            "second_rack_id": "zone-1",
            "use_internal_ipv6": False,
        },
    },
    "license": LICENSE,
    "credentials": {"username": "admin@example.com", "password": "correct horse"},
    "policy": {
        "rack_aware": True,
        "default_shards_placement": "sparse",
        "default_sharded_proxy_policy": "all-master-shards",
        "default_non_sharded_proxy_policy": "single",
        "default_fork_evict_ram": False,
        "shards_overbooking": True,
    },
    "dns_suffixes": [
        {
            "name": "internal.example.com",
            "cluster_default": True,
            "use_aaaa_ns": False,
            "use_internal_addr": True,
            "slaves": ["10.0.0.2"],
        }
    ],
    "recovery_filename": "ccs-redis.rdb",
    "max_retries": 3,
    "retry_time": 20,
    "cnm_https_port": 9444,
    "required_version": "7.4.2",
    "witness_disk": {"name": "witness", "secret_token": "tok-4711"},
    "user_defined_modules": [
        {
            "name": "search",
            "location": {"url": "https://maria:s3cr3t@example.com/search.zip", "credentials": {"value": "tok-4712"}},
        }
    ],
    "crdb_coordinator_port": 9081,
    "envoy_admin_port": 8002,
    "envoy_mgmt_server_port": 8004,
    "gossip_envoy_admin_port": 8006,
}
SECRETS = ("correct horse", "tok-4711", "tok-4712", "s3cr3t")
