"""`gbnt logs`: short for `gbnt service logs`."""

from __future__ import annotations

from cli.commands.service import logs
from cli.group import example, short_for

app = short_for(logs, epilog=example("gbnt logs shop/web -f"))
