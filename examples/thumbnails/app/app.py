"""Takes pictures, has workers make them small, and shows what there is. REDIS_URL is the queue."""

import os

import redis
from flask import Flask, abort, request, send_file
from rq import Queue
from tasks import PICTURES, thumbnail, thumbnail_path

app = Flask(__name__)
queue = Queue(connection=redis.Redis.from_url(os.environ["REDIS_URL"]))


@app.get("/")
def shelf():
    """All thumbnails that are made."""
    return "".join(f'<img src="/{path.stem}">' for path in sorted(PICTURES.glob("*.png")))


@app.put("/<name>")
def take(name):
    """Keep the picture that is sent, and queue the work on it."""
    if not name.isalnum():
        abort(400, "a name is letters and digits")
    (PICTURES / name).write_bytes(request.get_data())
    queue.enqueue(thumbnail, name)
    return {"queued": name}, 202


@app.get("/<name>")
def show(name):
    """The thumbnail, once a worker has made it."""
    path = thumbnail_path(name)
    return send_file(path) if path.exists() else abort(404, "not made yet")
