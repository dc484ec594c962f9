"""One HTTP request to a server of ours on this machine."""

import json
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException


def ask(port, path, *, method="GET", body=None, seconds=30, **headers):
    """Send a request; gives the response, read, with its `text`."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=seconds)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode()
    return answer


def call_api(port, token, path, document=None, *, method="POST"):
    """Call the JSON API with a token."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps(document) if document else None
    return ask(port, f"/api/v1{path}", method=method, body=body, **headers)


def answers(port):
    with suppress(OSError, HTTPException):
        return ask(port, "/healthz", seconds=10).status == 200
    return False
