"""Properties of docker-compose.yml and the Dockerfile that need no container engine to check."""

import re
from pathlib import Path

import pytest
import yaml

CLONE = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((CLONE / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILE = (CLONE / "Dockerfile").read_text()
ONCE = {"secrets", "migrate"}
PRODUCT = {"migrate", "web", "worker", "supervisor"}
NODES = {"node1", "node2", "node3"}
LASTING = SERVICES.keys() - ONCE
SECRETS = ("SECRET_KEY", "SETUP_WIZARD_CREDENTIAL_KEYS", "DATABASE_URL", "REDIS_URL")


def of(*names):
    return pytest.mark.parametrize("service", [pytest.param(SERVICES[name], id=name) for name in sorted(names)])


def resolved(text):
    """The text as the engine reads it when no variable is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(text))


def test_compose_has_every_service():
    assert SERVICES.keys() == {"db", "redis", "secrets"} | PRODUCT | NODES


def test_all_our_services_use_one_built_image():
    assert [name for name, service in SERVICES.items() if "build" in service] == ["secrets"]
    assert {SERVICES[name]["image"] for name in PRODUCT | NODES | {"secrets"}} == {"setup-wizard:local"}


@of("db", "redis")
def test_every_other_image_has_a_version(service):
    assert re.fullmatch(r"[a-z/]+:\d+(\.\d+)?(-[a-z]+)?", service["image"])


@of(*SERVICES)
def test_a_container_is_locked_down(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ulimits"]["core"] == 0
    assert not service.get("privileged")


def test_only_secrets_and_database_have_capabilities_or_a_user():
    assert {name for name, service in SERVICES.items() if "cap_add" in service} <= {"secrets", "db"}
    assert not any("user" in SERVICES[name] for name in PRODUCT | NODES)


@of(*LASTING)
def test_services_have_health_checks_restarts_and_time_to_stop(service):
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert "curl" not in str(service["healthcheck"])
    assert service["restart"] == "unless-stopped"
    assert int(service["stop_grace_period"].removesuffix("s")) >= 20


def test_one_time_services_are_not_restarted():
    assert {name for name, service in SERVICES.items() if service["restart"] == "no"} == ONCE


@pytest.mark.parametrize(
    ("services", "needs"),
    [
        (("web", "worker", "supervisor"), {"migrate": "completed_successfully", "redis": "healthy"}),
        (("migrate",), {"db": "healthy"}),
        (("db", "redis", *NODES), {"secrets": "completed_successfully"}),
    ],
)
def test_services_wait_for_what_they_need(services, needs):
    for name in services:
        found = SERVICES[name]["depends_on"]
        assert {need: how["condition"].removeprefix("service_") for need, how in found.items()} == needs


def test_the_memory_of_web_is_limited():
    assert SERVICES["web"]["mem_limit"] == "1g"


def test_only_the_pages_are_published():
    ports = {name: resolved(service["ports"]) for name, service in SERVICES.items() if "ports" in service}

    assert ports == {"web": "['127.0.0.1:8000:8000']"}


def test_database_and_queue_have_no_route_to_other_networks():
    assert COMPOSE["networks"]["backend"]["internal"] is True
    members = {
        network: {name for name, service in SERVICES.items() if network in service.get("networks", [])}
        for network in COMPOSE["networks"]
    }
    assert members["backend"] == {"db", "redis", *PRODUCT}
    assert members["nodes"] == {"web", "worker", *NODES}
    assert SERVICES["secrets"]["network_mode"] == "none"


def test_the_guard_allows_the_network_of_the_nodes_only():
    subnet = resolved(COMPOSE["networks"]["nodes"]["ipam"]["config"][0]["subnet"])

    for name in ("web", "worker"):
        settings = SERVICES[name]["environment"]
        assert resolved(settings["SETUP_WIZARD_ALLOWED_NETWORKS"]) == subnet
        assert settings["SETUP_WIZARD_NODES"] == "node1:9443,node2:9443,node3:9443"
        assert "SETUP_WIZARD_ALLOW_LOOPBACK" not in settings
    addresses = [resolved(SERVICES[name]["networks"]["nodes"]["ipv4_address"]) for name in sorted(NODES)]
    assert addresses == ["10.231.94.101", "10.231.94.102", "10.231.94.103"]
    assert all(SERVICES[name]["command"].count("${NODE_SUBNET:-10.231.94}.10" + name[-1]) == 1 for name in NODES)


def test_compose_contains_no_secret():
    for name in PRODUCT:
        settings = SERVICES[name]["environment"]
        assert not settings.keys() & set(SECRETS)
        assert {settings[f"{secret}_FILE"].rpartition("/")[0] for secret in SECRETS} == {"/run/setup-wizard/app"}
    for name in SERVICES.keys() - PRODUCT:
        assert [word for word in SERVICES[name].get("environment", {}) if re.search("PASS|SECRET|KEY", word)] == []
    text = (CLONE / "docker-compose.yml").read_text()
    assert re.findall(r"://[^/\s]*:[^/\s]*@", text) == []
    assert re.findall(r"(?i)(?:requirepass|password=)\s*[\"']?(?![\"']?\$\$\()\S+", text) == []


def test_services_see_only_the_secrets_that_they_need():
    holders = {}
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            if "-secrets:" in volume:
                holders.setdefault(volume.partition(":")[0], {})[name] = volume.endswith(":ro")

    assert holders == {
        "app-secrets": {"secrets": False} | dict.fromkeys(PRODUCT, True),
        "db-secrets": {"secrets": False, "db": True},
        "redis-secrets": {"secrets": False, "redis": True},
    }


def test_the_queue_is_durable_and_needs_a_password():
    command = SERVICES["redis"]["entrypoint"][-1]

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert "requirepass $$(cat " in command
    assert "exec valkey-server -" in command


def test_the_worker_stops_gracefully_with_a_connection_per_thread():
    worker = SERVICES["worker"]
    threads = int(worker["command"][worker["command"].index("-c") + 1])

    assert worker["environment"]["REMAP_SIGTERM"] == "SIGQUIT"
    assert int(worker["environment"]["SETUP_WIZARD_DATABASE_POOL"]) >= threads


def test_every_used_volume_is_declared():
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}

    assert used == COMPOSE["volumes"].keys()


def test_the_image_has_a_build_stage():
    stages = re.findall(r"(?m)^FROM (\S+)(?: AS (\w+))?$", DOCKERFILE)
    final = DOCKERFILE[DOCKERFILE.rindex("\nFROM") :]

    assert [stage for _, stage in stages] == ["build", ""]
    assert all(re.fullmatch(r"python:\d+\.\d+-slim-[a-z]+", image) for image, _ in stages)
    assert re.search(r"apt-get|gcc|pip|(?m:^ADD)", final) is None


@pytest.mark.parametrize("option", ["--require-hashes", "--only-binary :all:", "--no-index --no-deps /wheels/*.whl"])
def test_packages_are_installed_with_hashes(option):
    assert option in DOCKERFILE


def test_the_image_runs_without_root_and_has_no_secret():
    final = DOCKERFILE[DOCKERFILE.rindex("\nFROM") :]

    assert re.findall(r"(?m)^USER (\S+)$", final) == ["10001:10001"]
    assert re.findall(r"(?m)^(?:ENV|ARG) .*(?:SECRET|KEY|PASSWORD).*$", DOCKERFILE) == []


def test_the_build_collects_static_files():
    assert "manage.py collectstatic" in DOCKERFILE[: DOCKERFILE.rindex("\nFROM")]


def test_the_build_context_has_only_what_the_image_needs():
    lines = [line for line in (CLONE / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]

    assert lines[0] == "*"
    taken = {"manage.py", "requirements/runtime.txt", "setup_wizard", "static", "templates"}
    taken |= {"docs/*.md", "docs/pictures"}
    assert {line[1:] for line in lines if line.startswith("!")} == taken
