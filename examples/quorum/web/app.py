"""Keeps values by their names in etcd. MEMBERS names the members, which are asked one after the other."""

import json
import os
from base64 import b64decode, b64encode
from urllib.error import URLError
from urllib.request import urlopen

from flask import Flask, abort, request

MEMBERS = os.environ["MEMBERS"].split()
PATIENCE = 2  # seconds for each member
app = Flask(__name__)


@app.put("/<name>")
def put(name):
    """Keep a value; once this is answered, most of the members have it on disk."""
    ask("put", key=name.encode(), value=request.get_data())
    return "", 204


@app.get("/<name>")
def get(name):
    """The value, as most of the members know it."""
    found = ask("range", key=name.encode()).get("kvs") or abort(404)
    return b64decode(found[0]["value"])


def ask(what, **fields):
    """What the first member says that answers."""
    body = json.dumps({field: b64encode(value).decode() for field, value in fields.items()}).encode()
    for member in MEMBERS:
        try:
            with urlopen(f"http://{member}:2379/v3/kv/{what}", body, timeout=PATIENCE) as answer:
                return json.load(answer)
        except (URLError, TimeoutError) as error:
            app.logger.warning("%s did not answer: %s", member, error)
    return abort(503, "not enough members answer; try again")
