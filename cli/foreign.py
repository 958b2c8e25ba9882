"""The first words of who comes from docker, compose, swarm or kubectl, and what does the same here."""

from __future__ import annotations

_DEPLOY = "`gbnt stack deploy -c compose.yaml` makes the stack run as the file says"
_REMOVE = "`gbnt stack rm STACK` removes a stack, `gbnt service rm STACK/SERVICE` one service"
_LISTS = "`gbnt stack ls`, `gbnt service ls` and `gbnt task ls` list what there is"
_INSPECT = "`gbnt service inspect STACK/SERVICE` and `gbnt task inspect TASK` tell all that is known"
_RESTART = "`gbnt service restart STACK/SERVICE` replaces its containers"
_JOB = 'a service with `restart: "no"` is one-off work: put it into the file, and `gbnt stack deploy -c compose.yaml`'
_ENGINE = (
    "that is the engine's own, on the container's machine: `docker {} CONTAINER`, as `gbnt stack ps STACK` names it"
)
_MADE = "name it under `{}` in the compose file: `gbnt stack deploy -c compose.yaml` makes it"
_GO_WITH_STACK = "a network goes once no stack names it: `gbnt stack rm STACK`, or a deploy of the file without it"
_CONTEXTS = (
    "`gbnt config get-contexts` lists the clusters, `gbnt config use-context NAME` chooses one, and "
    "`gbnt config delete-context NAME` forgets one"
)
_SERVE = "`gbnt serve` makes this machine a cluster of one"

# By what was typed before it, and the word.
HINTS: dict[str, dict[str, str]] = {
    "gbnt": {
        "apply": _DEPLOY,
        "attach": "`gbnt logs SERVICE -f` follows what a service writes",
        "build": "`gbnt stack deploy -c compose.yaml` builds the images that the file builds",
        "compose": _DEPLOY,
        "container": _LISTS,
        "context": _CONTEXTS,
        "cp": _ENGINE.format("cp"),
        "create": _DEPLOY,
        "delete": _REMOVE,
        "deploy": _DEPLOY,
        "describe": _INSPECT,
        "down": "`gbnt stack rm STACK` removes a stack, and keeps its volumes",
        "get": _LISTS,
        "image": "`gbnt service ls` shows the image of each service; `docker images` lists the engine's",
        "images": "`gbnt service ls` shows the image of each service; `docker images` lists the engine's",
        "info": "`gbnt node ls` shows the machines, `gbnt health` how this one is",
        "init": _SERVE,
        "inspect": _INSPECT,
        "job": _JOB,
        "jobs": _JOB,
        "kill": "`gbnt task rm TASK` replaces a task, `gbnt service stop STACK/SERVICE` keeps a service down",
        "list": _LISTS,
        "ls": _LISTS,
        "nodes": "`gbnt node ls` lists the machines",
        "ps": "`gbnt stack ps STACK` lists the tasks of a stack, `gbnt task ls` those of all",
        "pull": "`gbnt stack deploy -c compose.yaml` gets the images that it needs",
        "restart": _RESTART,
        "rm": _REMOVE,
        "rollout": _RESTART,
        "run": _DEPLOY,
        "scale": "`gbnt service scale STACK/SERVICE=3` runs another number of replicas",
        "services": "`gbnt service ls` lists the services",
        "start": "`gbnt stack start STACK` and `gbnt service start STACK/SERVICE` do that",
        "stats": "`gbnt top` shows what tasks use, and how busy their machines are",
        "status": "`gbnt health` says how this machine is, `gbnt stack ls` how the stacks are",
        "stop": "`gbnt stack stop STACK` and `gbnt service stop STACK/SERVICE` do that",
        "swarm": _SERVE,
        "tasks": "`gbnt task ls` lists the tasks",
        "up": _DEPLOY,
        "update": "`gbnt service update STACK/SERVICE --image IMAGE` rolls a service over to another image",
    },
    "gbnt config": {
        "delete": "`gbnt config delete-context NAME` does that",
        "get-clusters": "`gbnt config get-contexts` shows the server of each",
        "list": "`gbnt config get-contexts` does that",
        "ls": "`gbnt config get-contexts` does that; `gbnt stack config` prints compose files",
        "rename": "`gbnt config rename-context OLD NEW` does that",
        "rm": "`gbnt config delete-context NAME` does that",
        "set-cluster": "`gbnt config set-context NAME --server URL` does that",
        "set-credentials": "`gbnt config set-context NAME --token-stdin` does that",
        "show": "`gbnt config current-context` does that",
        "unset": "`gbnt config delete-context NAME` forgets a context",
        "use": "`gbnt config use-context NAME` does that",
    },
    "gbnt stack": {
        "create": _DEPLOY,
        "delete": "`gbnt stack rm STACK` does that",
        "down": "`gbnt stack rm STACK` removes a stack, and keeps its volumes",
        "inspect": "`gbnt stack services STACK` and `gbnt stack ps STACK` show what it is made of",
        "list": "`gbnt stack ls` does that",
        "logs": "`gbnt logs STACK/SERVICE` prints what a service writes",
        "remove": "`gbnt stack rm STACK` does that",
        "restart": _RESTART,
        "up": _DEPLOY,
        "update": _DEPLOY,
    },
    "gbnt service": {
        "create": _DEPLOY,
        "delete": "`gbnt service rm STACK/SERVICE` does that",
        "list": "`gbnt service ls` does that",
        "remove": "`gbnt service rm STACK/SERVICE` does that",
        "rollback": "`gbnt service update STACK/SERVICE --image IMAGE` rolls it over to the image that it had",
        "tasks": "`gbnt service ps STACK/SERVICE` does that",
    },
    "gbnt task": {
        "kill": "`gbnt task rm TASK` does that",
        "list": "`gbnt task ls` does that",
        "ps": "`gbnt task ls` does that",
        "restart": "`gbnt task rm TASK` replaces a task",
        "stop": "`gbnt task rm TASK` does that",
    },
    "gbnt volume": {
        "create": _MADE.format("volumes"),
        "delete": "`gbnt volume rm VOLUME` does that",
        "list": "`gbnt volume ls` does that",
        "prune": "`gbnt system prune --volumes` removes those that nothing needs, after a list of them",
        "remove": "`gbnt volume rm VOLUME` does that",
    },
    "gbnt network": {
        "connect": _MADE.format("networks"),
        "create": _MADE.format("networks"),
        "delete": _GO_WITH_STACK,
        "list": "`gbnt network ls` does that",
        "prune": _GO_WITH_STACK,
        "remove": _GO_WITH_STACK,
        "rm": _GO_WITH_STACK,
    },
    "gbnt system": {
        "events": "`gbnt events` prints what happened, and with -f what happens",
        "info": "`gbnt legion status` shows the cluster, `gbnt node ls` its machines, `gbnt health` how this one is",
    },
    "gbnt config-file": {
        "create": _MADE.format("configs"),
        "delete": "`gbnt config-file rm CONFIG` does that",
        "list": "`gbnt config-file ls` does that",
        "remove": "`gbnt config-file rm CONFIG` does that",
    },
    "gbnt node": {"inspect": "`gbnt node ls -o json` tells all that is known", "list": "`gbnt node ls` does that"},
}


def hint(before: str, word: str) -> str:
    """`: ` and what to type instead of `word` after `before`; empty where that is not known."""
    known = HINTS.get(before, {}).get(word)
    return f": {known}" if known else ""
