"""The shape of docker-compose.yml and of the Dockerfile: what must hold wherever they run. No engine is needed."""

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
    """As the engine reads it when nothing is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(text))


def test_the_services_are_those_that_run():
    assert SERVICES.keys() == {"db", "redis", "secrets"} | PRODUCT | NODES


def test_one_image_is_built_and_ours_are_all_made_of_it():
    assert [name for name, service in SERVICES.items() if "build" in service] == ["secrets"]
    assert {SERVICES[name]["image"] for name in PRODUCT | NODES | {"secrets"}} == {"setup-wizard:local"}


@pytest.mark.parametrize("image", [SERVICES["db"]["image"], SERVICES["redis"]["image"]])
def test_an_image_of_others_has_a_version(image):
    assert re.fullmatch(r"[a-z/]+:\d+(\.\d+)?(-[a-z]+)?", image)


@of(*SERVICES)
def test_a_container_is_locked_down(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ulimits"]["core"] == 0
    assert not service.get("privileged")


@of(*PRODUCT, *NODES, "redis")
def test_only_the_secrets_maker_and_the_database_get_a_right_back(service):
    assert "cap_add" not in service


@of(*PRODUCT, *NODES)
def test_ours_run_as_the_images_own_user(service):
    assert "user" not in service


@of(*LASTING)
def test_what_lasts_is_watched_started_again_and_given_time_to_stop(service):
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert "curl" not in str(service["healthcheck"])
    assert service["restart"] == "unless-stopped"
    assert int(service["stop_grace_period"].removesuffix("s")) >= 20


@of(*ONCE)
def test_what_runs_once_is_not_started_again(service):
    assert service["restart"] == "no"


@of("web", "worker", "supervisor")
def test_a_part_waits_for_the_tables_and_the_queue(service):
    needs = {name: need["condition"] for name, need in service["depends_on"].items()}

    assert needs == {"migrate": "service_completed_successfully", "redis": "service_healthy"}


def test_the_tables_wait_for_the_database_and_the_database_for_its_password():
    assert SERVICES["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    for name in ("db", "redis", *NODES):
        assert SERVICES[name]["depends_on"] == {"secrets": {"condition": "service_completed_successfully"}}


@of(*SERVICES)
def test_a_port_is_published_on_this_machine_only(service):
    assert all(resolved(port).startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_memory_of_web_is_limited():
    assert SERVICES["web"]["mem_limit"] == "1g"


def test_only_the_pages_are_published():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]
    assert resolved(SERVICES["web"]["ports"]) == "['127.0.0.1:8000:8000']"


def test_database_and_queue_have_no_way_out_and_the_nodes_no_way_in():
    assert COMPOSE["networks"]["backend"]["internal"] is True
    assert {name for name, service in SERVICES.items() if "backend" in service.get("networks", [])} == {
        "db",
        "redis",
        *PRODUCT,
    }
    assert {name for name in SERVICES if "nodes" in SERVICES[name].get("networks", [])} == {"web", "worker", *NODES}
    assert SERVICES["secrets"]["network_mode"] == "none"


def test_the_guard_lets_the_nodes_network_through_and_nothing_else():
    subnet = resolved(COMPOSE["networks"]["nodes"]["ipam"]["config"][0]["subnet"])

    for name in ("web", "worker"):
        settings = SERVICES[name]["environment"]
        assert resolved(settings["SETUP_WIZARD_ALLOWED_NETWORKS"]) == subnet
        assert settings["SETUP_WIZARD_NODES"] == "node1:9443,node2:9443,node3:9443"
        assert "SETUP_WIZARD_ALLOW_LOOPBACK" not in settings
    addresses = [resolved(SERVICES[name]["networks"]["nodes"]["ipv4_address"]) for name in sorted(NODES)]
    assert addresses == ["10.231.94.101", "10.231.94.102", "10.231.94.103"]
    assert [SERVICES[name]["command"].count("${NODE_SUBNET:-10.231.94}.10" + name[-1]) for name in sorted(NODES)] == [
        1,
        1,
        1,
    ]


def test_there_is_no_secret_in_the_file():
    for name in PRODUCT:
        settings = SERVICES[name]["environment"]
        assert not settings.keys() & set(SECRETS)
        assert {settings[f"{secret}_FILE"].rpartition("/")[0] for secret in SECRETS} == {"/run/setup-wizard/app"}
    for name in SERVICES.keys() - PRODUCT:
        assert [word for word in SERVICES[name].get("environment", {}) if re.search("PASS|SECRET|KEY", word)] == []
    text = (CLONE / "docker-compose.yml").read_text()
    assert re.findall(r"://[^/\s]*:[^/\s]*@", text) == []
    assert re.findall(r"(?i)(?:requirepass|password=)\s*[\"']?(?![\"']?\$\$\()\S+", text) == []


def test_a_secret_is_only_where_it_is_needed():
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


def test_the_queue_keeps_its_messages_and_wants_a_password():
    command = SERVICES["redis"]["entrypoint"][-1]

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert "requirepass $$(cat " in command
    assert "exec valkey-server -" in command


def test_the_worker_stops_softly_and_has_a_connection_for_each_thread():
    worker = SERVICES["worker"]
    threads = int(worker["command"][worker["command"].index("-c") + 1])

    assert worker["environment"]["REMAP_SIGTERM"] == "SIGQUIT"
    assert int(worker["environment"]["SETUP_WIZARD_DATABASE_POOL"]) >= threads


def test_every_volume_that_is_used_is_kept():
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}

    assert used == COMPOSE["volumes"].keys()


def test_the_image_is_built_apart_from_what_runs():
    stages = re.findall(r"(?m)^FROM (\S+)(?: AS (\w+))?$", DOCKERFILE)
    final = DOCKERFILE[DOCKERFILE.rindex("\nFROM") :]

    assert [stage for _, stage in stages] == ["build", ""]
    assert all(re.fullmatch(r"python:\d+\.\d+-slim-[a-z]+", image) for image, _ in stages)
    assert re.search(r"apt-get|gcc|pip|(?m:^ADD)", final) is None


def test_what_is_installed_is_held_to_its_hashes():
    assert "--require-hashes" in DOCKERFILE
    assert "--only-binary :all:" in DOCKERFILE
    assert "--no-index --no-deps /wheels/*.whl" in DOCKERFILE


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret():
    final = DOCKERFILE[DOCKERFILE.rindex("\nFROM") :]

    assert re.findall(r"(?m)^USER (\S+)$", final) == ["10001:10001"]
    assert re.findall(r"(?m)^(?:ENV|ARG) .*(?:SECRET|KEY|PASSWORD).*$", DOCKERFILE) == []


def test_the_static_files_are_collected_when_it_is_built():
    assert "manage.py collectstatic" in DOCKERFILE[: DOCKERFILE.rindex("\nFROM")]


def test_only_what_the_image_is_made_of_goes_to_the_engine():
    lines = [line for line in (CLONE / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]

    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == {
        "manage.py",
        "requirements/runtime.txt",
        "setup_wizard",
        "static",
        "templates",
    }
