import base64
import json
import shlex
import time
import unicodedata
from urllib.parse import quote

import pytest

from setup_wizard.bootstrap.secret import MASK, Secret
from setup_wizard.bootstrap.text import clean
from setup_wizard.nodes.redaction import Redaction
from tests.spellings import in_html, spell

PASSWORD = 'pä ss"\\wörd&<7>'
AWKWARD = [
    PASSWORD,
    "with\ttab/and'quote",
    "  blanks at both ends  ",
    "</script>&amp;%2f+%20",
    "back\\slash\\u0041\\n",
    "смесь-𝄞-ключ",
    "a+b/c=d?e&f",
]
KEY = "-----BEGIN PRIVATE KEY-----\n" + "\n".join([f"MIIEvQIBADANBgkq{line:048d}" for line in range(20)])


def masked(text, *secrets, **more):
    return Redaction(tuple(map(Secret, secrets or [PASSWORD])), **more).text(text)


@pytest.mark.parametrize("password", AWKWARD)
def test_password_is_masked_in_each_encoding(password):
    for name, echo in spell(password):
        text = masked(f"bad request: “{echo}” was refused", password)

        assert text == f"bad request: “{MASK}” was refused", (name, echo)


@pytest.mark.parametrize("password", AWKWARD)
def test_password_is_masked_in_nested_encodings(password):
    quoted = json.dumps({"url": f"https://node/?q={quote(password, safe='')}"})
    mixtures = [
        json.dumps(quoted),
        base64.b64encode(quoted.encode()).decode(),
        in_html(json.dumps(password)[1:-1])[0],
        quote(base64.b64encode(password.encode()).decode(), safe=""),
        base64.encodebytes(b"x" * 50 + password.encode() + b"y" * 50).decode(),
        repr(password)[1:-1],
        unicodedata.normalize("NFD", password),
        password.encode().decode("latin-1"),
    ]

    for mixture in mixtures:
        shown = masked(f"refused: “{mixture}”", password)
        assert MASK in shown, mixture
        for _, echo in spell(password.strip()):
            assert echo not in shown


@pytest.mark.parametrize("password", AWKWARD)
@pytest.mark.parametrize(
    "spell_bytes",
    [
        lambda data: "".join(f"\\{byte:03o}" for byte in data),
        lambda data: "".join(chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\{byte:03o}" for byte in data),
        lambda data: "".join(f"\\u{{{ord(character):x}}}" for character in data.decode()),
        lambda data: str(list(data)),
        lambda data: f"[{' '.join(map(str, data))}]",
        lambda data: json.dumps({"type": "Buffer", "data": list(data)}, separators=(",", ":")),
    ],
    ids=["octal", "octal where it is not ASCII", "braces", "Python", "Go", "Node.js"],
)
def test_password_is_masked_as_octal_escapes_and_byte_lists(password, spell_bytes):
    echo = spell_bytes(password.encode())

    shown = masked(f"refused: “{echo}”", password)

    assert MASK in shown
    assert echo.strip("[]") not in shown


@pytest.mark.parametrize("password", AWKWARD)
def test_password_is_masked_as_a_json_list_of_numbers(password):
    answer = {
        "error_details": {"sent": {"type": "Buffer", "data": list(password.encode())}},
        "slots": [1, 2, 3, 4, 500],
    }

    shown = Redaction((Secret(password),)).document(answer)

    assert shown == {"error_details": {"sent": {"type": "Buffer", "data": MASK}}, "slots": [1, 2, 3, 4, 500]}


@pytest.mark.parametrize("password", AWKWARD)
@pytest.mark.parametrize("inserted", ["\n", "\r\n", "\u200b", "\x07", "\xad", "\u202e"])
def test_password_is_masked_with_invisible_characters_inserted(password, inserted):
    echo = password[:4] + inserted + password[4:]

    assert masked(f"refused: “{echo}”", password) == f"refused: “{MASK}”"
    assert MASK in masked(json.dumps({"sent": echo}), password)


def test_password_is_masked_without_its_invisible_characters():
    assert masked("refused: “secretwords”", "secret\u200bwords") == f"refused: “{MASK}”"


def test_password_is_masked_in_percent_u_escapes():
    echo = "".join(f"%u{ord(character):04x}" if character > "~" else character for character in PASSWORD)

    assert masked(f"refused: “{echo}”") == f"refused: “{MASK}”"


@pytest.mark.parametrize("password", ['it\'s-"Zq9"/{7}%-é', "'quoted'", "100%-{{sure}}", "''twice''"])
@pytest.mark.parametrize(
    "repeat",
    [
        shlex.quote,
        lambda text: "'" + text.replace("'", "'\\''") + "'",
        lambda text: "'" + text.replace("'", "''") + "'",
        lambda text: '"' + text.replace('"', '""') + '"',
        lambda text: text.replace("%", "%%"),
        lambda text: text.replace("{", "{{").replace("}", "}}"),
    ],
    ids=["Python's shell quotes", "shell", "SQL and YAML", "CSV", "printf", "templates"],
)
def test_a_password_is_masked_where_quotes_and_braces_are_repeated(password, repeat):
    shown = masked(f"refused: “{repeat(password)}” now", password)

    assert MASK in shown
    assert set(shown.replace(MASK, "")) <= set("refused: “'\"” now")


@pytest.mark.parametrize("password", AWKWARD)
@pytest.mark.parametrize(
    "spell_out",
    [
        lambda text: repr(list(text)),
        lambda text: json.dumps(list(text), separators=(",", ":")),
        " ".join,
        "\n".join,
        "\u200b".join,
        "\xad".join,
        lambda text: str([ord(character) for character in text]),
        lambda text: str([byte - 256 if byte > 127 else byte for byte in text.encode()]),
        lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
        lambda text: text.encode().hex("."),
    ],
    ids=["Python", "JSON", "blanks", "lines", "no width", "hyphens", "code points", "Java", "C", "dots"],
)
def test_a_password_is_masked_character_by_character(password, spell_out):
    shown = masked(f"refused: “{spell_out(password)}” now", password)

    assert MASK in shown
    assert password[3:6] not in shown
    assert spell_out(password[3:6]).strip("[]") not in shown


@pytest.mark.parametrize("pieces", [list, lambda text: dict(enumerate(text))], ids=["list", "object"])
def test_a_password_is_masked_as_a_list_of_its_characters_in_an_answer(pieces):
    answer = {"error_details": {"sent": pieces(PASSWORD), "rack_ids": ["a", "b", "c", "d", "e"]}}

    shown = Redaction((Secret(PASSWORD),)).document(answer)

    assert shown == {"error_details": {"sent": MASK, "rack_ids": ["a", "b", "c", "d", "e"]}}


@pytest.mark.parametrize(
    "echo",
    [
        "CORRECT-HORSÉ-BATTERY",
        "correct-horsé-battery",
        "Correct-Hors=C3=A9-Batt=\r\nery",
        "%u0043orrect-Hors%u00e9-Battery",
        "Correct-Hors?-Battery",
        "Correct-Horse-Battery",
    ],
    ids=["upper case", "lower case", "quoted-printable", "JavaScript", "ASCII", "without accents"],
)
def test_a_password_is_masked_in_other_letters(echo):
    assert masked(f"refused: “{echo}” now", "Correct-Horsé-Battery") == f"refused: “{MASK}” now"


@pytest.mark.parametrize("cut", ["…", "...", "....."])
def test_what_is_left_of_a_password_is_masked_where_it_was_cut_inside_a_text(cut):
    password = "Correct-Horse-7-Battery"
    beginning, end = password[:9], password[14:]

    for said in (
        f"“{beginning}{cut}” is bad",
        f"“{cut}{end}” is bad",
        f"“{beginning}{cut}{end}” is bad",
        f"{cut}{end}",
    ):
        shown = masked(said, password)
        assert MASK in shown
        assert beginning not in shown
        assert end not in shown


def test_text_with_a_few_numbers_is_unchanged():
    said = "ports 8443, 9443 and 53; 10 20 30 of 255, 256, 257 done; see C:\\101"

    assert masked(said) == said


def test_password_is_masked_without_surrounding_spaces():
    assert masked("[secret words]", "  secret words ") == f"[{MASK}]"


def test_password_is_masked_in_cleaned_text():
    shown = clean("refused: with\ttab\x07bell", 100)

    assert masked(shown, "with\ttab\x07bell") == f"refused: {MASK}"


def test_each_line_of_a_key_is_masked():
    line = KEY.splitlines()[7]

    assert masked(f"cannot read {line}", KEY) == f"cannot read {MASK}"
    assert "MIIE" not in masked(json.dumps({"sent": KEY}), KEY)


@pytest.mark.parametrize("length", [40, 60, 110, 400])
@pytest.mark.parametrize("after", ["", ", which is not valid"])
def test_a_private_key_that_was_cut_is_masked(length, after):
    assert masked(f"cannot read {KEY[:length]}{after}", KEY) == f"cannot read {MASK}{after}"


def test_text_without_the_password_is_unchanged():
    said = "the path does not exist: /var/opt/redislabs/persist, 100% + 5 &amp; \\n dGVzdA== 2026-11-23"

    assert masked(said) == said


@pytest.mark.parametrize("spelled", [str, lambda text: json.dumps(text)[1:-1], quote, lambda text: in_html(text)[0]])
@pytest.mark.parametrize("kept", [3, 6, 11])
def test_beginning_of_a_password_is_masked_where_text_was_cut(spelled, kept):
    said = clean("refused: " + spelled(PASSWORD), len("refused: ") + kept + 1)
    assert said.endswith(spelled(PASSWORD)[:kept] + "…")

    assert masked(said) == f"refused: {MASK}…"


def test_end_of_an_uncut_text_is_unchanged():
    assert masked("the pä s") == "the pä s"
    assert masked("the name is…", "sesame-street", "") == "the name is…"


def test_half_a_password_at_the_end_is_masked():
    assert masked("refused: correct-horse-ba", "correct-horse-battery") == f"refused: {MASK}"


def test_password_across_the_cut_of_a_long_text_is_masked():
    for length in range(8192 - 40, 8192 + 5):
        assert "corr" not in masked("." * length + "correct-horse-battery", "correct-horse-battery")


def test_mask_covers_the_whole_path_around_a_password():
    shown = masked("cannot make /mnt/blue-otters-9/redis/tmp now", "blue-otters-9")

    assert shown == f"cannot make {MASK} now"


@pytest.mark.parametrize("password", ["redislabs", "persist", "jupiter", "7up", "Dragon"])
def test_text_around_a_guessable_password_is_masked_entirely(password):
    assert masked(f"the user must be {password} here", password) == MASK


def test_paths_of_the_request_are_not_masked():
    paths = frozenset({"/var/opt/redislabs/tmp", "/mnt/otters"})
    said = "cannot write to /var/opt/redislabs/tmp, “/mnt/otters/x” or \\/mnt\\/otters"

    assert masked(said, "redislabs", "otters", kept=paths) == said
    assert masked(f"{said} as otters", "otters", kept=paths) == MASK


def test_password_next_to_a_kept_path_in_base64_is_masked():
    echo = base64.b64encode(b'{"path": "/mnt/otters", "password": "blue-otters-9"}').decode()

    assert masked(f"refused {echo}", "blue-otters-9", kept=frozenset({"/mnt/otters"})) == f"refused {MASK}"


@pytest.mark.parametrize("key", ["password", "Passwd", "client_SECRET", "apiToken", "private-key", "CREDENTIALS"])
def test_values_of_secret_keys_are_masked_at_any_depth(key):
    said = {"error_details": {"sent": [{"deeper": {key: "otters"}}], "message": f'{{"{key}": "otters"}}'}}

    shown = json.dumps(Redaction().document(said))

    assert "deeper" in shown
    assert "otters" not in shown or key == "private-key"
    assert "otters" not in json.dumps(Redaction().document({"x": {key: ["otters"]}}))


@pytest.mark.parametrize(
    "said", ['{"password": "ot\\"ters"}', r"{\"new_password\": \"otters\"}", "Password='otters'", "?passwd=otters&x=1"]
)
def test_values_of_secret_keys_are_masked_in_text(said):
    assert "ters" not in Redaction().text(said)


def test_text_about_passwords_is_unchanged():
    said = "wrong password: it is too short, the token expired, credentials were refused"

    assert Redaction().text(said) == said


def test_numeric_password_is_masked_as_a_number():
    said = {"error_details": {"value": 90210777, "required_memory": 4294967296}}

    shown = Redaction((Secret("90210777"),)).document(said)

    assert shown == {"error_details": {"value": MASK, "required_memory": 4294967296}}


def test_api_words_are_never_masked():
    said = {
        "bootstrap_status": {
            "state": "completed",
            "start_time": "2026-11-23T14:02:04Z",
            "error_code": "path_error",
            "error_details": {"message": "no"},
        },
        "local_node_info": {"uid": "1"},
    }

    for word in ("completed", "state", "2026", "path_error", "1", "message", "error"):
        shown = Redaction((Secret(word),)).document(said)
        assert shown["bootstrap_status"]["state"] == "completed"
        assert shown["bootstrap_status"]["start_time"] == "2026-11-23T14:02:04Z"
        assert shown["bootstrap_status"]["error_code"] == "path_error"
        assert shown["local_node_info"]["uid"] == "1"


def test_without_words_only_codes_times_and_known_names_remain():
    said = {
        "bootstrap_status": {
            "state": "error",
            "start_time": "2026-11-23T14:02:04Z",
            "end_time": "otters",
            "error_code": "path_error",
            "error_details": {"message": "otters"},
        },
        "name": "redis-prod.example.com",
    }

    shown = Redaction(kept=frozenset({"redis-prod.example.com"}), keeps_free_text=False).document(said)

    assert "otters" not in json.dumps(shown)
    assert shown["bootstrap_status"]["error_code"] == "path_error"
    assert shown["name"] == "redis-prod.example.com"


@pytest.mark.parametrize(
    "hostile",
    [
        "\\" * 60_000,
        "%25" * 20_000,
        "&amp;" * 12_000,
        "+\\%41&lt;" * 6_000,
        "QUJD" * 15_000,
        "password=" * 7_000,
        'password": "' * 5_000,
        "\\u005cu005c" * 6_000,
        "\0" * 60_000,
        "=3D" * 20_000,
        "'" * 60_000,
        "a," * 30_000,
        "-1 " * 20_000,
        "a..." * 15_000,
        "0x41, " * 10_000,
    ],
)
def test_search_time_is_bounded_for_any_text(hostile):
    begun = time.thread_time()

    shown = masked(hostile + PASSWORD)

    assert time.thread_time() - begun < 1
    assert PASSWORD not in shown
