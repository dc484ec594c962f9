"""What the cluster says about itself decides whether a node can join it."""

from dataclasses import replace

import pytest

from setup_wizard.attempts import sign_ins
from setup_wizard.attempts.preflight import Level, SignInRefused, Unknown
from setup_wizard.bootstrap.request import Credentials
from setup_wizard.bootstrap.secret import Secret
from setup_wizard.bootstrap.status import LicenseFacts, MemberState, Module, RunningAction
from setup_wizard.nodes.certificates import Certificate
from setup_wizard.nodes.cluster_reading import Part
from setup_wizard.nodes.probing import MemberCertificates
from tests.attempts.join_findings import CLUSTER, FINGERPRINT, a_node, a_reading, a_setup, endpoint, findings, judge
from tests.nodes.servers import Identity

pytestmark = pytest.mark.django_db

ADMINISTRATOR = Identity("admin@example.com")
CERTIFICATE = Credentials(client_cert=ADMINISTRATOR.pem, client_key=Secret(ADMINISTRATOR.key))


def test_accepted_sign_in_passes():
    found = judge("sign_in", a_setup(), findings(a_reading()))

    assert (found.level, found.message) == (
        Level.PASSED,
        f"{CLUSTER} accepts admin@example.com with this password.",
    )


@pytest.mark.parametrize(
    ("refused", "credentials", "part", "words"),
    [
        (SignInRefused(401), None, "credentials.password", "refused admin@example.com with this password"),
        (SignInRefused(401, "no such user."), None, "credentials.password", "Node message: “no such user”."),
        (SignInRefused(403), None, "credentials.password", "does not let admin@example.com read it"),
        (SignInRefused(401), CERTIFICATE, "credentials.client_cert", "refused this client certificate"),
    ],
)
def test_refused_sign_in_stops_the_join(refused, credentials, part, words):
    found = judge("sign_in", a_setup(credentials=credentials), findings(refused))

    assert (found.level, found.can_override, found.part) == (Level.FAILED, False, part)
    assert words in found.message
    assert found.remedies[0].part == part


def test_refused_sign_in_tells_how_many_count():
    setup = a_setup()
    account = sign_ins.Account((FINGERPRINT,), "admin@example.com")
    sign_ins.reserve(account, setup.credentials).refuse()

    found = judge("sign_in", setup, findings(SignInRefused(401)))

    assert "1 sign-in of this wizard as admin@example.com" in found.message


def test_refused_sign_in_is_the_only_result_from_the_cluster():
    names = ("administrator", "rack", "cluster_version", "cluster_busy", "cluster_size", "cluster_license", "modules")

    found = [judge(name, a_setup(), findings(SignInRefused(401))) for name in names]

    assert {(each.level, each.message) for each in found} == {(Level.NOT_CHECKED, "")}


def test_cluster_without_an_answer_leaves_checks_open():
    found = judge("sign_in", a_setup(), findings(Unknown("There was no answer in time.")))

    assert (found.level, found.message) == (Level.NOT_CHECKED, "There was no answer in time.")


def test_credentials_that_are_not_sent_again_stop_the_join():
    setup = a_setup()
    sign_ins.reserve(sign_ins.Account((FINGERPRINT,), "admin@example.com"), setup.credentials).refuse()

    found = judge("refused_before", setup, findings(Unknown("They are not sent again.")))

    assert (found.level, found.can_override) == (Level.FAILED, True)
    assert "not sent again before" in found.message


@pytest.mark.parametrize(
    ("is_administrator", "level", "can_override", "words"),
    [
        (True, Level.PASSED, False, "is an administrator"),
        (False, Level.FAILED, True, "Enter the account of an administrator."),
        (None, Level.NOT_CHECKED, False, "does not report whether the account is an administrator"),
    ],
)
def test_account_has_to_be_an_administrator(is_administrator, level, can_override, words):
    found = judge("administrator", a_setup(), findings(a_reading(is_administrator=is_administrator)))

    assert (found.level, found.can_override) == (level, can_override)
    assert words in found.message


@pytest.mark.parametrize("stated", ["", CLUSTER, "Redis-Prod.EXAMPLE.com."])
def test_name_of_the_cluster_is_shown_and_may_be_left_out(stated):
    found = judge("cluster_name", a_setup(name=stated), findings(a_reading()))

    assert (found.level, found.message) == (Level.PASSED, f"10.0.0.5:9443 is a member of {CLUSTER}.")


def test_another_name_than_the_clusters_stops_the_join():
    found = judge("cluster_name", a_setup(name="redis-test.example.com"), findings(a_reading()))

    assert (found.level, found.can_override) == (Level.FAILED, False)
    assert "but you entered redis-test.example.com" in found.message
    assert found.remedies[0].values == {"cluster.name": CLUSTER}


@pytest.mark.parametrize(
    ("others", "level"), [((), None), (("10.0.0.6:9443",), None), (("192.0.2.6:9443",), Level.WARNING)]
)
def test_member_that_the_cluster_does_not_list_is_a_warning(others, level):
    members = MemberCertificates({endpoint(key): Certificate(FINGERPRINT) for key in others})

    found = judge("listed_members", a_setup(), findings(a_reading(), members=members))

    assert (found and found.level) == level
    if found:
        assert "does not list 192.0.2.6." in found.message
        assert found.remedies[0].values == {"cluster.nodes": ["10.0.0.5", "10.0.0.6", "10.0.0.7"]}


def of_versions(*versions):
    return a_reading(*(a_node(uid, software_version=version) for uid, version in enumerate(versions, 1)))


@pytest.mark.parametrize(
    ("own", "versions", "level", "can_override", "words"),
    [
        ("7.22.0-216", ["7.22.0-216"], Level.PASSED, False, "run 7.22.0-216"),
        ("7.22.0-216", ["7.4.2-54"], Level.WARNING, False, "begins a rolling upgrade"),
        ("8.0.6-54", ["8.0.2-17", "8.0.6-54"], Level.WARNING, False, "nodes of different versions"),
        ("7.22.2-170", ["7.22.0-216"], Level.WARNING, False, "begins a rolling upgrade"),
        ("7.4.2-54", ["7.22.0-216"], Level.FAILED, True, "older than"),
        ("7.22.0-216", ["7.22.2-170", "8.0.6-54"], Level.FAILED, True, "Install 7.22.2-170 on the node"),
        ("8.2.0-12", ["6.4.2-110"], Level.FAILED, True, "cannot be upgraded to that version in one step"),
        ("9.0.0-1", ["8.2.0-12"], Level.WARNING, False, "Look up whether the vendor supports"),
        ("", ["7.22.0-216"], Level.NOT_CHECKED, False, "10.0.0.9:9443 does not report"),
        ("7.22.0-216", [""], Level.NOT_CHECKED, False, f"{CLUSTER} does not report"),
    ],
)
def test_version_of_the_node_fits_the_cluster(own, versions, level, can_override, words):
    found = judge("cluster_version", a_setup(), findings(of_versions(*versions), version=own))

    assert (found.level, found.can_override) == (level, can_override)
    assert words in found.message


def test_newer_node_needs_a_tick_that_names_the_upgrade():
    found = judge("cluster_version", a_setup(), findings(of_versions("7.4.2-54"), version="7.22.0-216"))

    assert found.confirmation == f"Begin the upgrade of {CLUSTER} from 7.4.2-54 to 7.22.0-216"
    (figure,) = found.figures
    assert (figure.here, figure.cluster) == ("7.22.0-216", "7.4.2-54")


GEO = Module("geo", "1.2.0", is_bundled=False)


@pytest.mark.parametrize(
    ("modules", "requested", "level", "words"),
    [
        ([Module("search", "2.10.5", is_bundled=True)], [], Level.PASSED, "has no modules of its own"),
        ([GEO], ["Geo"], Level.PASSED, "has the modules"),
        ([GEO], [], Level.WARNING, "has geo 1.2.0, which did not come with its software"),
        ([], ["geo"], Level.WARNING, f"adds geo, which {CLUSTER} does not have"),
        ([Module("geo")], [], Level.PASSED, "has no modules of its own"),
    ],
)
def test_modules_of_the_node_are_those_of_the_cluster(modules, requested, level, words):
    setup = a_setup(modules=tuple({"name": name} for name in requested))

    found = judge("modules", setup, findings(a_reading(modules=tuple(modules))))

    assert (found.level, found.part) == (level, "user_defined_modules")
    assert words in found.message


def test_modules_are_added_to_the_request_only_where_the_version_has_that():
    reading = a_reading(modules=(GEO,))

    old = judge("modules", a_setup(), findings(reading, version="8.0.2-17"))
    new = judge("modules", a_setup(), findings(reading, version="8.0.6-54"))

    assert "before it joins: make sure that this node has them." in old.message
    assert "before it joins: add them to the request, or make sure" in new.message


@pytest.mark.parametrize(
    ("terms", "level", "words"),
    [
        (LicenseFacts(expired=False, expires="2027-12-31T00:00:00Z"), Level.PASSED, "valid and expires on 2027-12-31"),
        (LicenseFacts(expired=True, expires="2025-12-31T00:00:00Z"), Level.FAILED, "expired on 2025-12-31"),
        (LicenseFacts(shards_limit=4, ram_shards_in_use=4), Level.PASSED, "is valid"),
        (LicenseFacts(shards_limit=4, ram_shards_in_use=5), Level.FAILED, "has 5 shards, and its license allows 4"),
        (None, None, ""),
    ],
)
def test_license_of_the_cluster_has_to_be_valid(terms, level, words):
    found = judge("cluster_license", a_setup(), findings(a_reading(license=terms)))

    assert (found and (found.level, found.can_override)) == (level and (level, level is Level.FAILED))
    assert words in (found.message if found else "")


BACKUP = RunningAction("SMUpgradeBDB", "active", "bdb:1")


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (a_reading(cluster={"upgrade_in_progress": True}), "an upgrade is in progress"),
        (a_reading(cluster={"upgrade_mode": True}), "an upgrade is in progress"),
        (a_reading(a_node(1), a_node(2, status="provisioning")), "node 2 is provisioning"),
        (a_reading(a_node(1), a_node(2, status="decommissioning")), "node 2 is decommissioning"),
        (a_reading(member_states=(MemberState("2", "slave", "before-patch"),)), "node 2 is in maintenance"),
        (a_reading(actions=(BACKUP,)), "it runs SMUpgradeBDB on bdb:1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_join_of_a_busy_cluster_is_stopped(reading, words):
    found = judge("cluster_busy", a_setup(), findings(reading))

    assert (found.level, found.can_override) == (Level.FAILED, False)
    assert words in found.message


def test_idle_cluster_is_not_busy():
    assert judge("cluster_busy", a_setup(), findings(a_reading())).level is Level.PASSED


def test_rolling_upgrade_goes_on_with_nodes_of_the_new_version():
    nodes = (a_node(1, software_version="7.4.2-54"), a_node(2, software_version="7.22.0-216"))
    upgrading = a_reading(*nodes, cluster={"upgrade_mode": True})

    assert judge("cluster_busy", a_setup(), findings(upgrading, version="7.22.0-216")).level is Level.PASSED
    assert judge("cluster_busy", a_setup(), findings(upgrading, version="7.4.2-54")).level is Level.FAILED


@pytest.mark.parametrize("part", [Part.NODES, Part.MEMBER_STATES, Part.ACTIONS])
def test_cluster_is_not_called_idle_without_an_answer(part):
    reading = replace(a_reading(), missing={part: "status code 503"}, **{part.value: None})

    found = judge("cluster_busy", a_setup(), findings(reading))

    assert found.level is Level.NOT_CHECKED
    assert "(status code 503)" in found.message


@pytest.mark.parametrize("reason", ["no answer in time", "no time left"])
def test_member_is_not_blamed_when_the_time_was_over(reason):
    reading = replace(a_reading(), missing={Part.MODULES: reason}, modules=None)

    found = judge("modules", a_setup(), findings(reading))

    assert found.level is Level.NOT_CHECKED
    assert found.message == "The time was used up before 10.0.0.5:9443 could report its modules. Check again."


def test_older_cluster_without_the_calls_is_not_busy():
    reading = a_reading(actions=None, member_states=None, modules=None)

    assert judge("cluster_busy", a_setup(), findings(reading)).level is Level.PASSED
    assert judge("modules", a_setup(), findings(reading)) is None


def test_new_node_does_not_join_a_degraded_cluster():
    reading = a_reading(a_node(1), a_node(2, status="down"), a_node(3))

    found = judge("cluster_degraded", a_setup(rack_id="rack-d"), findings(reading))

    assert (found.level, found.can_override) == (Level.FAILED, False)
    assert "degraded: node 2 (10.0.0.6, rack-b) is down" in found.message
    assert "cannot join as a new node until node 2 is back or replaced (repair_required)." in found.message
    (remedy,) = found.remedies
    assert remedy.values == {"node.identity.uid": 2, "node.identity.rack_id": "rack-b"}
    assert found.figures[0].cluster == "2 of 3"


def test_replacement_joins_a_degraded_cluster():
    reading = a_reading(a_node(1), a_node(2, status="down"), a_node(3))

    assert judge("cluster_degraded", a_setup(uid=2), findings(reading)) is None
    assert judge("cluster_degraded", a_setup(), findings(a_reading())).level is Level.PASSED
