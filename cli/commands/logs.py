"""`gbnt logs`: short for `gbnt service logs`."""

from __future__ import annotations

from cli.commands.service import logs
from cli.group import example, single

app = single()
app.command(epilog=example("gbnt logs shop/web -f"))(logs)
