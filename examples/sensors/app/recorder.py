"""Keeps each reading that comes over MQTT. BROKER is where from."""

import os
from contextlib import closing
from pathlib import Path

import paho.mqtt.client as mqtt
from database import connect

# At least once: the broker keeps what this one, known by its name, has not confirmed.
QOS = 1


def main():
    """Subscribe, and keep what comes, for ever."""
    with closing(connect()) as database:
        client = mqtt.Client("recorder", clean_session=False)
        client.on_connect = lambda client, *_: client.subscribe("sensors/+", QOS)
        client.on_subscribe = lambda *_: Path("/tmp/subscribed").touch()
        client.on_message = lambda _client, _data, message: record(database, message)
        client.connect(os.environ["BROKER"])
        client.loop_forever()


def record(database, message):
    """Keep one reading; it is confirmed when this returns."""
    with database:
        sensor = message.topic.partition("/")[2]
        database.execute("INSERT INTO readings VALUES (?, ?)", (sensor, float(message.payload)))


if __name__ == "__main__":
    main()
