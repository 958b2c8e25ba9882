"""What is done with each example: a word goes in as a visitor brings it, and is looked for where it has to be."""

from __future__ import annotations

import json
import xmlrpc.client
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from tests.examples.stack import Stack


def nothing_more(_: Stack) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Example:
    """`name` is its folder. `write` brings a word in by its doors, and `holds` tells whether it is at all its places.

    `victim` is the service whose container is killed: the one that the word is kept by. `shows` is what else its page
    says that it shows.
    """

    name: str
    victim: str
    write: Callable[[Stack, str], object]
    holds: Callable[[Stack, str], bool]
    shows: Callable[[Stack], bool] = nothing_more


def sign(port: int) -> Callable[[Stack, str], object]:
    return lambda stack, word: stack.ask(port, method="POST", name=word, words="Salve")


def entries(stack: Stack, database: str) -> list[str]:
    return stack.run(database, "psql", "-U", "postgres", "-tAc", "SELECT name FROM entries", "guestbook").split()


def guestbook(stack: Stack, word: str) -> bool:
    return f"<b>{word}</b>" in stack.ask(8101)[1] and word in entries(stack, "db")


def publish(stack: Stack, word: str) -> None:
    post = {"post_title": word, "post_content": "Salve", "post_status": "publish"}
    call = xmlrpc.client.dumps((0, "admin", "salve", post), "wp.newPost")
    xmlrpc.client.loads(stack.ask(8102, "/xmlrpc.php", "POST", call)[1])


def published(stack: Stack, word: str) -> bool:
    sql = "SELECT post_title FROM wp_posts WHERE post_status = 'publish'"
    login = ("-h127.0.0.1", "-uwordpress", "-psalve", "wordpress")
    return word in stack.ask(8102)[1] and word in stack.run("db", "mariadb", *login, "-Ne", sql).splitlines()


def voted(stack: Stack, word: str) -> bool:
    told = json.loads(stack.ask(8103)[1])["votes"]
    return told.get(word) == 1 and stack.run("store", "redis-cli", "HGET", "votes", word) == "1\n"


def three_take_turns(stack: Stack) -> bool:
    return len({json.loads(stack.ask(8103)[1])["replica"] for _ in range(6)}) == 3


def send_picture(stack: Stack, word: str) -> None:
    stack.ask(8104, f"/{word}", "PUT", b"P6 200 100 255\n" + bytes(200 * 100 * 3))


def is_small(stack: Stack, word: str) -> bool:
    shelf = stack.ask(8104)[1]
    kind = stack.run("web", "python3", "-c", f"from PIL import Image; print(Image.open('/pictures/{word}.png').size)")
    return f'"/{word}"' in shelf and stack.ask(8104, f"/{word}")[1][1:4] == "PNG" and kind == "(64, 32)\n"


def sign_and_write_down(stack: Stack, word: str) -> None:
    sign(8105)(stack, word)
    stack.restart("cron")  # which has a job for when it starts


def written_down(stack: Stack, word: str) -> bool:
    names = stack.run("cron", "sh", "-c", "ls /backups/*.sql").split()
    newest = stack.ask(8115, f"/{max(names).rpartition('/')[2]}")[1]
    return f"<b>{word}</b>" in stack.ask(8105)[1] and f"\t{word}\t" in newest


def visit(stack: Stack, word: str) -> None:
    assert stack.ask(8116, f"/{word}")[1] == "Salve\n"


def logged(stack: Stack, word: str) -> bool:
    return [f"GET /{word} " in row["message"] for row in json.loads(stack.ask(8106, f"/?q={word}")[1])] == [True]


def order(stack: Stack, word: str) -> None:
    for port in (8121, 8122):
        stack.ask(port, f"/orders/{word}", "POST")


def measured(stack: Stack, word: str) -> bool:
    query = f'count(max_over_time(orders_total{{fruit="{word}"}}[1h]) >= 1)'
    found = json.loads(stack.ask(8107, f"/api/v1/query?query={quote(query)}")[1])["data"]["result"]
    return [row["value"][1] for row in found] == ["2"]


def measure(stack: Stack, word: str) -> None:
    stack.ask(8108, f"/{word}", "POST", "21.5")


def recorded(stack: Stack, word: str) -> bool:
    return 21.5 in json.loads(stack.ask(8108, f"/{word}")[1])


COMMIT = """
cd "$(mktemp -d)"
export HOME=$PWD
git clone -q http://web/git/first.git .
git -c user.name=Marcus -c user.email=marcus@example.com commit -q --allow-empty -m "$1"
git push -q origin HEAD:main
"""


def push(stack: Stack, word: str) -> None:
    stack.run("mirror", "sh", "-ec", COMMIT, "commit", word)


def pushed(stack: Stack, word: str) -> bool:
    copied = stack.run("mirror", "git", "-C", "/srv/mirror/first.git", "log", "--format=%s", "--all").split()
    return f">{word}</a>" in stack.ask(8109, "/first.git/log/")[1] and word in copied


def replicated(stack: Stack, word: str) -> bool:
    return (
        f"<b>{word}</b>" in stack.ask(8110)[1]
        and word in entries(stack, "primary")
        and word in entries(stack, "standby")
    )


def standby_only_follows(stack: Stack) -> bool:
    return stack.run("standby", "psql", "-U", "postgres", "-tAc", "SELECT pg_is_in_recovery()") == "t\n"


# How many values of that name each member has itself, without asking the others.
OF_ITS_OWN = """
import base64, json, os, sys
from urllib.request import urlopen
wish = json.dumps({"key": base64.b64encode(sys.argv[1].encode()).decode(), "serializable": True}).encode()
members = os.environ["MEMBERS"].split()
answers = [json.load(urlopen(f"http://{member}:2379/v3/kv/range", wish, timeout=5)) for member in members]
print([int(answer.get("count", 0)) for answer in answers])
"""


def agree(stack: Stack, word: str) -> None:
    stack.ask(8111, f"/{word}", "PUT", word)


def agreed(stack: Stack, word: str) -> bool:
    return (
        stack.ask(8111, f"/{word}")[1] == word and stack.run("web", "python3", "-c", OF_ITS_OWN, word) == "[1, 1, 1]\n"
    )


def shorten(stack: Stack, word: str) -> None:
    stack.ask(8112, f"/{word}", "PUT", f"https://example.com/{word}")


def leads_there(stack: Stack, word: str) -> bool:
    login = ("-h127.0.0.1", "-ulinks", "-psalve", "links")
    kept = stack.run("db", "mariadb", *login, "-Ne", "SELECT address FROM links").split()
    address = f"https://example.com/{word}"
    return stack.ask(8112, f"/{word}")[0].getheader("Location") == address and address in kept


def cache_knows_what_was_asked_for(stack: Stack) -> bool:
    shorten(stack, "roads")
    stack.kill("cache")
    return [stack.ask(8112, "/roads")[0].getheader("X-From") for _ in range(2)] == ["database", "cache"]


EXAMPLES = (
    Example("guestbook", "db", sign(8101), guestbook),
    Example("wordpress", "db", publish, published),
    Example("votes", "store", lambda stack, word: stack.ask(8103, f"/{word}", "POST"), voted, three_take_turns),
    Example("thumbnails", "queue", send_picture, is_small),
    Example("backups", "db", sign_and_write_down, written_down),
    Example("logs", "store", visit, logged),
    Example("metrics", "prometheus", order, measured),
    Example("sensors", "broker", measure, recorded),
    Example("forge", "web", push, pushed),
    Example("replica", "primary", sign(8110), replicated, standby_only_follows),
    Example("quorum", "etcd-1", agree, agreed),
    Example("links", "db", shorten, leads_there, cache_knows_what_was_asked_for),
)
