"""A vote. Any replica takes any vote: REDIS_URL says where all of them are counted."""

import os
import socket

import redis
from flask import Flask

app = Flask(__name__)
store = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


@app.post("/<name>")
def vote(name):
    """Count a vote for somebody."""
    return {"votes": store.hincrby("votes", name), "replica": socket.gethostname()}


@app.get("/")
def result():
    """The votes by name, and which replica tells them."""
    votes = {name: int(number) for name, number in store.hgetall("votes").items()}
    return {"votes": votes, "replica": socket.gethostname()}
