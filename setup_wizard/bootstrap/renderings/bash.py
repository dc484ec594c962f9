"""Bash scripts with cURL: the request, and the call that turns on rack awareness; `rladmin` shares their beginning."""

import json
import re
from collections.abc import Iterator
from typing import Final

from setup_wizard.bootstrap.renderings.variables import Bootstrap, Variable
from setup_wizard.bootstrap.text import clean

_VARIABLE: Final = re.compile(r'"\\u0000(\w+)\\u0000"')  # no value has a NUL character


def quote(text: object) -> str:
    """Quote for a shell, always in single quotes."""
    return "'" + str(text).replace("'", "'\"'\"'") + "'"


def ask(variables: tuple[Variable, ...]) -> Iterator[str]:
    """Ask for each variable that is not in the environment; what is typed is not shown."""
    for each in variables:
        silent = "" if each.kind == "file" else "s"
        yield f'if [ -z "${{{each.shell}:-}}" ]; then'
        yield f"  IFS= read -r{silent}p {quote(f'{each.prompt}: ')} {each.shell} </dev/tty; echo >&2"
        yield "fi"


def start_script(title: str) -> list[str]:
    """Write the first lines of a script."""
    return ["#!/usr/bin/env bash", f"# {title}", "set -euo pipefail", "umask 077", ""]


_JSON_FUNCTION: Final = r"""
json() { # write a text as a JSON string
  local text=$1 code character escape
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  for code in {1..31}; do
    printf -v escape '\\u%04x' "$code"
    printf -v character "\\x${escape:4}"
    text=${text//"$character"/"$escape"}
  done
  printf '"%s"' "$text"
}
""".strip().splitlines()

_PIN: Final = r"""
# the certificate has to be the approved one, and the request goes only to the holder of its key
certificate=$(openssl s_client -connect "$node" </dev/null 2>/dev/null | openssl x509) ||
  { echo "$node shows no certificate" >&2; exit 1; }
shown=$(openssl x509 -noout -fingerprint -sha256 <<<"$certificate")
[ "${shown#*=}" = "$fingerprint" ] || { echo "$node shows another certificate: ${shown#*=}" >&2; exit 1; }
pin=$(openssl x509 -noout -pubkey <<<"$certificate" | openssl pkey -pubin -outform der |
  openssl dgst -sha256 -binary | openssl base64)
""".strip().splitlines()

_CURL: Final = r"""
curl --disable --silent --show-error --noproxy '*' --globoff --max-time 60 \
  --insecure --pinnedpubkey "sha256//$pin" \
  --header 'Content-Type: application/json' --header 'Accept: application/json' --header 'Expect:' \
  --write-out '\nHTTP %{http_code}' \
""".strip()

_END: Final = """
echo "$answer"
case $answer in *'HTTP 2'??) ;; *) exit 1 ;; esac
""".strip()

_SEND: Final = rf"""
answer=$(printf %s "$body" | {_CURL}
  --data-binary @- "$url")
{_END}
echo "Accepted. Follow it at https://$node/v1/bootstrap" >&2
""".strip().splitlines()

# the header goes through standard input, because arguments can be seen in the list of processes
_SIGNED_IN: Final = r"""
header="Authorization: Basic $(printf %s "$username:$CLUSTER_PASSWORD" | openssl base64 -A)"
answer=$(printf '%s\n' "$header" | {curl}
  --header @- --request PUT --data '{{"rack_aware": true}}' "https://$node/v1/cluster/policy")
"""
_BY_CERTIFICATE: Final = r"""
answer=$({curl}
  --cert "$CLIENT_CERT_FILE" --key "$CLIENT_KEY_FILE" \
  --request PUT --data '{{"rack_aware": true}}' "https://$node/v1/cluster/policy")
"""
_PASSWORD: Final = Variable("cluster_password", "Password of the cluster's administrator", "text")
_CLIENT_FILES: Final = (
    Variable("client_cert_file", "File with the client certificate", "file"),
    Variable("client_key_file", "File with the key of the client certificate", "file"),
)


def render_curl(bootstrap: Bootstrap) -> str:
    """Write a script that sends the JSON over a connection with the approved key."""
    lines = [
        *start_script(bootstrap.title),
        f"node={quote(bootstrap.address)}",
        f"url={quote(bootstrap.url)}",
        f"fingerprint={quote(bootstrap.fingerprint)}",
        "",
        *_PIN,
        "",
        *ask(bootstrap.variables),
        *_JSON_FUNCTION,
        "",
        f"body={_shell_body(bootstrap)}",
        "",
        *_SEND,
    ]
    return "\n".join(lines) + "\n"


def render_rack_awareness(cluster: str, *, address: str, fingerprint: str, username: str) -> str:
    """Write a script that turns on rack awareness, asked of a member; without a user name by client certificate.

    Reference: https://redis.io/docs/latest/operate/rs/references/rest-api/requests/cluster/policy/
    """
    variables, send = ((_PASSWORD,), _SIGNED_IN) if username else (_CLIENT_FILES, _BY_CERTIFICATE)
    lines = [
        *start_script(clean(f"Turn on rack awareness in {cluster}", 200)),
        f"node={quote(address)}",
        f"fingerprint={quote(fingerprint)}",
        *([f"username={quote(username)}"] if username else []),
        "",
        *_PIN,
        "",
        *ask(variables),
        "",
        *send.format(curl=_CURL).strip().splitlines(),
        *_END.splitlines(),
    ]
    return "\n".join(lines) + "\n"


def _shell_body(bootstrap: Bootstrap) -> str:
    """Write the JSON in single quotes, with an expansion for each variable."""
    by_name = {each.name: each for each in bootstrap.variables}
    text = json.dumps(bootstrap.document, indent=2, ensure_ascii=False, default=lambda variable: f"\0{variable.name}\0")
    literals, names = _VARIABLE.split(text)[::2], _VARIABLE.split(text)[1::2]
    words = [quote(literals[0])]
    for name, literal in zip(names, literals[1:], strict=True):
        words += [f'"{_shell_value(by_name[name])}"', quote(literal)]
    return "".join(words)


def _shell_value(variable: Variable) -> str:
    if variable.kind == "json":
        return f"${variable.shell}"
    return f'$(json "$(cat "${variable.shell}")")' if variable.kind == "file" else f'$(json "${variable.shell}")'
