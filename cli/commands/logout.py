"""`gbnt logout`: ends a session, and forgets its context."""

from __future__ import annotations

from cli.connect import context_option
from cli.group import example, single


@single(epilog=example("gbnt logout", "gbnt logout --context vera@rome"))
@context_option
def app(context: str) -> None:
    """End the session that `gbnt login` began, and forget its context. Other sessions of the user go on."""
    from cli.login import sign_out

    sign_out(context)
