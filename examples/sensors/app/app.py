"""A door for readings: what is put here goes out over MQTT, and what was recorded is shown. BROKER is where to."""

import os
from contextlib import closing

import paho.mqtt.publish as mqtt
from database import connect
from flask import Flask, request

app = Flask(__name__)


@app.post("/<sensor>")
def publish(sensor):
    """Send a reading on."""
    reading = str(request.get_json(force=True))
    mqtt.single(f"sensors/{sensor}", reading, qos=1, hostname=os.environ["BROKER"])
    return {"sent": reading}, 202


@app.get("/<sensor>")
def readings(sensor):
    """What was recorded of a sensor, in order."""
    with closing(connect()) as database:
        rows = database.execute("SELECT value FROM readings WHERE sensor = ? ORDER BY rowid", (sensor,))
        return [value for (value,) in rows]
