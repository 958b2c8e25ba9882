"""A shop that counts its orders by fruit, and shows the counters to Prometheus."""

from flask import Flask
from prometheus_client import Counter, generate_latest

ORDERS = Counter("orders", "Orders that were taken.", ["fruit"])
app = Flask(__name__)


@app.post("/orders/<fruit>")
def order(fruit):
    """Take an order."""
    ORDERS.labels(fruit).inc()
    return {"ordered": fruit}


@app.get("/metrics")
def metrics():
    """The counters, in Prometheus' own text."""
    return generate_latest(), {"Content-Type": "text/plain; version=0.0.4"}
