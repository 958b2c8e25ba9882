"""`gbnt exec`: short for `gbnt task exec`."""

from __future__ import annotations

from cli.commands.task import exec_
from cli.group import example, short_for

app = short_for(exec_, epilog=example("gbnt exec -it shop-web-1 sh"))
