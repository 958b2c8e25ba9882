"""Docker's sentences, as its versions really say them, and what is made of each."""

import pytest

from engine.docker_errors import refusal, unreachable
from engine.port import (
    AddressTaken,
    Conflict,
    DiskFull,
    EngineUnavailable,
    ImageDenied,
    ImageLimited,
    ImageMissing,
    ImageUnavailable,
    NameTaken,
    NotFound,
    PortTaken,
    Refused,
    RegistryUnreachable,
)

SUBJECTS = {
    "container": "container web",
    "network": "network net",
    "volume": "volume data",
    "image": "image shop:1",
    "usage": "what it keeps",
    "pull": "image shop:1",
    "sign-in": "nero at hub.example",
}

# area, status, Docker's words, kind, what ours contain
SENTENCES = [
    (
        "image",
        409,
        'conflict: unable to remove repository reference "shop:1" (must force) - container 9f1c is using its '
        "referenced image 2f3d56e6edb4",
        Conflict,
        "still used by a container",
    ),
    (
        "image",
        409,
        "conflict: unable to delete 2f3d56e6edb4 (cannot be forced) - image is being used by running container 9f1c",
        Conflict,
        "still used by a container",
    ),
    ("usage", 500, "a disk usage operation is already running", Conflict, "for somebody else just now"),
    (
        "container",
        500,
        "driver failed programming external connectivity on endpoint web (9f): "
        "Bind for 0.0.0.0:8080 failed: port is already allocated",
        PortTaken,
        "port 8080",
    ),
    (
        "container",
        500,
        "driver failed programming external connectivity on endpoint web (9f): "
        "Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use",
        PortTaken,
        "port 8080",
    ),
    (
        "container",
        500,
        "failed to set up container networking: driver failed programming external connectivity on endpoint web (9f): "
        "failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use",
        PortTaken,
        "port 8080",
    ),
    ("container", 500, "failed to bind host port 127.0.0.1:8080/tcp: address already in use", PortTaken, "port 8080"),
    ("container", 500, "Bind for :::8080 failed: port is already allocated", PortTaken, "port 8080"),
    ("container", 500, "Bind for [::1]:8080 failed: port is already allocated", PortTaken, "port 8080"),
    ("container", 500, "all ports are allocated", PortTaken, "no port"),
    ("container", 403, "Address already in use", AddressTaken, "container web"),
    (
        "container",
        409,
        'Conflict. The container name "/shop-web-1" is already in use by container "9f". You have to remove it.',
        NameTaken,
        '"shop-web-1"',
    ),
    ("container", 404, "No such image: shop:1", NotFound, "image shop:1 is not on this machine"),
    ("container", 404, "network front not found", NotFound, "network front"),
    (
        "container",
        500,
        'could not select device driver "" with capabilities: [[gpu]]',
        Refused,
        "no driver for devices with the capabilities [[gpu]]",
    ),
    (
        "container",
        404,
        "image with reference shop:1 was found but does not match the specified platform: "
        "wanted linux/s390x, actual: linux/amd64",
        Refused,
        "shop:1 on this machine is for linux/amd64, and linux/s390x is asked for",
    ),
    ("container", 404, "No such container: 9f", NotFound, "container web does not exist"),
    (
        "container",
        400,
        'failed to create task for container: OCI runtime error: exec: "serve": executable file not found in $PATH',
        Refused,
        'no command "serve"',
    ),
    (
        "container",
        400,
        'OCI runtime create failed: exec: "/run.sh": stat /run.sh: no such file or directory: unknown',
        Refused,
        'no command "/run.sh"',
    ),
    ("container", 400, 'exec: "/run.sh": permission denied: unknown', Refused, '"/run.sh" of the image may not be'),
    (
        "container",
        400,
        'invalid mount config for type "bind": bind source path does not exist: /srv/data',
        Refused,
        "the path /srv/data",
    ),
    ("container", 501, "configured logging driver does not support reading", Refused, "cannot be read back"),
    ("container", 500, "something new\nthat nobody knows", Refused, "something new that nobody knows"),
    ("container", 500, "write /var/lib/docker/x: no space left on device", DiskFull, "no space"),
    (
        "container",
        500,
        'connection error: desc = "transport: error while dialing: dial unix:///run/containerd/containerd.sock"',
        EngineUnavailable,
        "containerd",
    ),
    ("network", 409, "network with name net already exists", NameTaken, "network has the name net"),
    ("network", 403, "Pool overlaps with other one on this address space", AddressTaken, "network net overlaps"),
    ("network", 403, "network net id 9f has active endpoints", Conflict, "network net still has containers"),
    ("network", 404, "network net not found", NotFound, "network net does not exist"),
    ("volume", 409, "remove data: volume is in use - [9f]", Conflict, "volume data is still used"),
    (
        "volume",
        409,
        "A volume named data already exists with the nfs driver. Choose a different volume name.",
        NameTaken,
        "by the driver nfs",
    ),
    (
        "pull",
        404,
        "manifest for shop:1 not found: manifest unknown: manifest unknown",
        ImageMissing,
        "the registry has no image shop:1",
    ),
    (
        "pull",
        404,
        "pull access denied for shop, repository does not exist or may require 'docker login'",
        ImageDenied,
        "denies image shop:1",
    ),
    (
        "pull",
        500,
        'Head "http://hub.example/v2/shop/manifests/1": no basic auth credentials',
        ImageDenied,
        "denies image shop:1",
    ),
    ("pull", 401, "unauthorized: authentication required", ImageDenied, "denies image shop:1"),
    (
        "pull",
        500,
        'Get "https://hub.example/v2/": dial tcp: lookup hub.example on 10.0.0.1:53: no such host',
        RegistryUnreachable,
        "the registry hub.example of image shop:1 is not found by name",
    ),
    (
        "pull",
        500,
        'Get "https://hub.example/v2/": dial tcp 192.0.2.1:443: connect: connection refused',
        RegistryUnreachable,
        "is not reached",
    ),
    (
        "pull",
        500,
        'Get "https://hub.example/v2/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        RegistryUnreachable,
        "is not reached",
    ),
    (
        "pull",
        500,
        "received unexpected HTTP status: 503 Service Unavailable",
        RegistryUnreachable,
        "is out of order",
    ),
    ("pull", 500, "x509: certificate signed by unknown authority", ImageUnavailable, "is not trusted"),
    (
        "pull",
        0,
        "no matching manifest for linux/arm64/v8 in the manifest list entries",
        ImageUnavailable,
        "linux/arm64/v8",
    ),
    (
        "pull",
        429,
        "toomanyrequests: You have reached your unauthenticated pull rate limit.",
        ImageLimited,
        "gives no more for now",
    ),
    ("pull", 500, "received unexpected HTTP status: 429 Too Many Requests", ImageLimited, "gives no more for now"),
    ("pull", 400, "invalid reference format", ImageUnavailable, "not a valid image name"),
    ("pull", 500, "something new", ImageUnavailable, "cannot be pulled: something new"),
    (
        "sign-in",
        500,
        "login attempt to http://hub.example/v2/ failed with status: 401 Unauthorized",
        ImageDenied,
        "the registry does not know nero at hub.example by this password",
    ),
    ("sign-in", 401, "incorrect username or password", ImageDenied, "by this password"),
    (
        "sign-in",
        500,
        'Get "https://hub.example/v2/": dial tcp 192.0.2.1:443: connect: connection refused',
        RegistryUnreachable,
        "is not reached to sign in nero at hub.example",
    ),
    ("sign-in", 500, "something new", ImageUnavailable, "something new"),
]


@pytest.mark.parametrize(("area", "status", "message", "kind", "ours"), SENTENCES)
def test_a_sentence_of_docker_is_understood(area: str, status: int, message: str, kind: type, ours: str):
    error = refusal(area, SUBJECTS[area], status, message)
    assert type(error) is kind
    assert ours in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("problem", "advice"),
    [
        (
            "Cannot connect to unix socket: [Errno 2] No such file or directory",
            "start it with `systemctl start docker`",
        ),
        ("Cannot connect to unix socket: [Errno 111] Connection refused", "start it with `systemctl start docker`"),
        ("Cannot connect to unix socket: [Errno 13] Permission denied", "add the user to the group docker"),
        ("it took too long", "it took too long"),
        ("", "the connection broke"),
    ],
)
def test_an_engine_that_does_not_answer_comes_with_advice(problem: str, advice: str):
    error = unreachable("unix:///run/docker.sock", problem)
    assert str(error).startswith("the Docker Engine at unix:///run/docker.sock does not answer; ")
    assert advice in str(error)
