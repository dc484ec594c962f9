"""A table of requests from the schemas of both sides: each field of either with every mutation that fits.

The product describes a request by its models, the reference node by its `openapi.yaml`. A path is written as
"node.identity.external_addr", an entry of a list as "cluster.nodes[]".
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import yaml

from setup_wizard.bootstrap.actions import Action
from setup_wizard.bootstrap.request import BootstrapRequest, InvalidRequest, parse_request
from setup_wizard.bootstrap.strict_json import InvalidJson, read_json
from setup_wizard.reference_node import schema as reference
from setup_wizard.reference_node.bootstrap_plan import SHAPES, parse_plan
from setup_wizard.reference_node.errors import Malformed
from setup_wizard.reference_node.lifecycle import Action as NodeAction
from tests.bootstrap.samples import CERTIFICATE, EVERYTHING, KEY

TWIN = "the duplicate key"
BASES = {
    Action.CREATE: {"cluster": {"name": "redis-prod.example.com"}},
    Action.JOIN: {"cluster": {"nodes": ["10.0.0.2"]}},
    Action.RECOVER: {"recovery_filename": "ccs-redis.rdb", "cluster": {}},
}
# what depends on the action; every other field is read alike, and tried with a create alone
OF_THE_ACTION = ("action", "cluster", "recovery_filename", "credentials", "node.identity.u")
SAMPLES = {
    "cluster": {"name": "redis-prod.example.com", "nodes": ["10.0.0.2"], "wait_command": True},
    "cluster.nodes": ["10.0.0.2"],
    "credentials.client_cert": CERTIFICATE,
    "credentials.client_key": KEY,
    "credentials.trusted_ca": CERTIFICATE,
}
KINDS = {
    "null": None,
    "true": True,
    "zero": 0,
    "seven": 7,
    "minus one": -1,
    "a fraction": 1.5,
    "seven as a fraction": 7.0,
    "text": "text",
    "nothing": "",
    "a space": " ",
    "a list": [],
    "a list of nothing": [None],
    "a list of numbers": [7],
    "a list of texts": ["text"],
    "an object": {},
    "an object in a list": [{}],
}
TEXTS = {
    "spaces around": " {} ",
    "a line break at the end": "{}\n",
    "a NUL inside": "{}\0",
    "a direction mark inside": "{}\u202e",
    "a lone surrogate": "{}\ud800",
    "leading zeros": "00{}",
    "a plus sign": "+{}",
    "a port behind": "{}:9443",
}


@dataclass(frozen=True)
class Case:
    """One request: the field that was changed, how, and the text that is sent."""

    action: Action
    path: str
    mutation: str
    body: bytes


@cache
def fields() -> dict[str, list[dict]]:
    """Every path that either schema has, with what both say of it."""
    ours = BootstrapRequest.model_json_schema()
    theirs = yaml.safe_load(reference.read_description())
    found: dict[str, list[dict]] = {}
    for root, schema in [
        (ours, ours),
        *((theirs, {"$ref": f"#/components/schemas/{SHAPES[each]}"}) for each in SHAPES),
    ]:
        for path, described in _walk(schema, root, ""):
            found.setdefault(path, []).append(described)
    return found


def cases() -> Iterator[Case]:
    """Every request of the table."""
    for path, described in fields().items():
        for action in Action:
            if action is Action.CREATE or path.startswith(OF_THE_ACTION):
                for mutation, value in _mutations(path, described).items():
                    yield _case(action, path, mutation, value)
        if any("properties" in each for each in described):
            key, value = _first(path)
            yield _case(Action.JOIN, path, "an unknown key", {**_sample(path), "colour": 1})
            yield _case(Action.JOIN, path, "a duplicate key", {**_sample(path), TWIN: value}, twin=key)
    for action in Action:
        yield _case(action, "", "an unknown key", {**_base(action), "colour": 1})
        yield _case(action, "", "a duplicate key", {**_base(action), TWIN: action.value}, twin="action")
        by_certificate = {"client_cert": CERTIFICATE, "client_key": KEY}
        yield _case(action, "credentials", "a certificate", by_certificate)
        for name in ("action", "cluster", "credentials", "recovery_filename"):
            base = {key: value for key, value in _base(action).items() if key != name}
            yield _case(action, name, "left out", base, whole=True)
    alone = {**_base(Action.JOIN), "node": {"identity": {"second_rack_id": "rack-b"}}}
    yield _case(Action.JOIN, "node.identity.second_rack_id", "without a first one", alone, whole=True)
    own = {**_base(Action.JOIN), "node": {"identity": {"addr": "10.0.0.2"}}}
    yield _case(Action.JOIN, "cluster.nodes", "the node itself", own, whole=True)


def is_accepted_by_product(case: Case) -> bool:
    """Whether the product reads it."""
    try:
        parse_request(read_json(case.body))
    except (InvalidJson, InvalidRequest):
        return False
    return True


def is_accepted_by_node(case: Case, *, strict: bool = False) -> bool:
    """Whether the reference node reads it."""
    try:
        parse_plan(NodeAction(case.action.value), reference.read_json(case.body), strict=strict)
    except Malformed:
        return False
    return True


def fields_named_by_product(case: Case) -> set[str]:
    """The fields in which the product finds a mistake."""
    try:
        parse_request(read_json(case.body))
    except InvalidRequest as error:
        return set(error.fields)
    return set()


def field_named_by_node(case: Case) -> str:
    """The field in which the reference node finds the first mistake, written as the product does."""
    try:
        parse_plan(NodeAction(case.action.value), reference.read_json(case.body))
    except Malformed as error:
        return re.sub(r"\[(\d+)\]", r".\1", str(error).partition(":")[0])
    return ""


def as_sent_by_product(case: Case) -> Case:
    """What the product makes of it."""
    sent = parse_request(read_json(case.body)).payload()
    return Case(case.action, case.path, case.mutation, json.dumps(sent).encode())


def _walk(schema: dict, root: dict, path: str) -> Iterator[tuple[str, dict]]:
    for each in _alternatives(schema, root):
        if path:
            yield path, each
        for name, inner in each.get("properties", {}).items():
            yield from _walk(inner, root, f"{path}.{name}" if path else name)
        if isinstance(each.get("items"), dict):
            yield from _walk(each["items"], root, f"{path}[]")


def _alternatives(schema: dict, root: dict) -> Iterator[dict]:
    if "$ref" in schema:
        place = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        yield from _alternatives(place, root)
        return
    yield schema
    for each in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        yield from _alternatives(each, root)


def _mutations(path: str, described: list[dict]) -> dict[str, object]:
    sample = _sample(path)
    found: dict[str, object] = {"as it should be": sample, **KINDS}
    if isinstance(sample, int) and not isinstance(sample, bool):
        found |= {"digits in quotes": str(sample), "digits and a fraction": f"{sample}.0", "many digits": "9" * 11}
    if isinstance(sample, str | int) and not isinstance(sample, bool):
        found |= {name: shape.format(sample) for name, shape in TEXTS.items()}
    if isinstance(sample, str):
        found["upper case"] = sample.upper()
    for each in described:
        for bound in ("minimum", "maximum"):
            if bound in each:
                limit, beyond = each[bound], each[bound] + (1 if bound == "maximum" else -1)
                found |= {f"{bound} {limit}": limit, f"beyond {bound} {limit}": beyond}
        if "maxLength" in each and isinstance(sample, str):
            found |= {f"{length} characters": _stretch(sample, length) for length in _around(each["maxLength"])}
        if "maxItems" in each and isinstance(sample, list) and each["maxItems"] < 1000:
            found |= {f"{length} entries": _entries(sample, length) for length in _around(each["maxItems"])}
        found |= {f"the word {word}": word for word in each.get("enum", ()) if word is not None}
    return found


def _around(limit: int) -> tuple[int, int]:
    return limit, limit + 1


def _entries(sample: list, length: int) -> list:
    if sample and isinstance(sample[0], str):
        return [f"10.1.{number // 250}.{number % 250}" for number in range(length)]
    return sample[:1] * length


def _stretch(sample: str, length: int) -> str:
    """Give a text of this length that is as right as the sample: a path, a license, or letters."""
    if "-----" in sample:
        head, _, tail = sample.partition("\n")
        return f"{head}\n{'A' * (length - len(sample) + len(tail.partition(chr(10))[0]))}\n{tail.partition(chr(10))[2]}"
    return sample[:1] + "a" * (length - 1)


def _sample(path: str):
    if path in SAMPLES:
        return copy.deepcopy(SAMPLES[path])
    value = {**EVERYTHING, "action": ""}
    for part in path.split("."):
        name = part.removesuffix("[]")
        value = SAMPLES["cluster.nodes"] if path == "cluster.nodes[]" and name == "nodes" else value[name]
        if part.endswith("[]"):
            value = value[0]
    return copy.deepcopy(value)


def _first(path: str) -> tuple[str, object]:
    return next(iter(_sample(path).items()))


def _base(action: Action) -> dict:
    credentials = {"username": "admin@example.com", "password": "correct horse"}
    identity = {"addr": "10.0.0.7", "rack_id": "rack-a"}
    return {
        "action": action.value,
        **copy.deepcopy(BASES[action]),
        "credentials": credentials,
        "node": {"identity": identity},
    }


def _case(action: Action, path: str, mutation: str, value: object, *, twin: str = "", whole: bool = False) -> Case:
    document = value if whole or not path else _base(action)
    if mutation == "as it should be" and path == "action":
        value = action.value
    if path and not whole:
        *parents, last = path.split(".")
        place = document
        for part in parents:
            name = part.removesuffix("[]")
            if part.endswith("[]"):
                place = place.setdefault(name, [_sample_entry(name)])[0]
            else:
                place = place.setdefault(name, {})
        place[last.removesuffix("[]")] = [value] if last.endswith("[]") else value
    text = json.dumps(document)
    return Case(action, path, mutation, text.replace(json.dumps(TWIN), json.dumps(twin)).encode())


def _sample_entry(name: str) -> dict:
    return copy.deepcopy(EVERYTHING[name][0])
