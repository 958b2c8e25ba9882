"""Who may come in: people, their sessions, and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import orjson

from cli.client.part import Part

if TYPE_CHECKING:
    from portal.access_rows import TokenRow, UserRow
    from portal.api.sessions import MeShown, SessionMade
    from portal.api.tokens import TokenMade
    from portal.shapes import Changed

Role = Literal["admin", "operator", "viewer"]


class Access(Part):
    """The tokens, the users, and who asks."""

    def tokens(self) -> list[TokenRow]:
        """The credentials, without their secrets."""
        return self._session.items("/v1/tokens")

    def create_token(self, name: str, role: Role, ttl: float | None) -> TokenMade:
        """A new credential; this answer alone holds its secret. `ttl` is in seconds, None for no expiry."""
        return self._session.write("POST", "/v1/tokens", orjson.dumps({"name": name, "role": role, "ttl": ttl}))

    def revoke_token(self, token: str) -> Changed:
        """Make a credential worthless."""
        return self._session.write("DELETE", f"/v1/tokens/{quote(token, safe='')}")

    def users(self) -> list[UserRow]:
        """The people who may sign in."""
        return self._session.items("/v1/users")

    def user(self, name: str) -> UserRow:
        """One of them."""
        return self._session.get(_user_path(name))

    def create_user(self, name: str, role: Role, password: str) -> Changed:
        """Take a user in."""
        return self._session.write(
            "POST", "/v1/users", orjson.dumps({"name": name, "role": role, "password": password})
        )

    def update_user(self, name: str, changed: Mapping[str, object]) -> Changed:
        """Change a user's `role`, `disabled` or `password`; what is None stays. `detail` may have a `note`."""
        return self._session.write("PATCH", _user_path(name), orjson.dumps(changed))

    def remove_user(self, name: str) -> Changed:
        """Forget a user, and end their sessions."""
        return self._session.write("DELETE", _user_path(name))

    def open_session(self, username: str, password: str, ttl: float) -> SessionMade:
        """Sign in for `ttl` seconds; this answer alone holds the `token`."""
        body = {"username": username, "password": password, "ttl": ttl}
        return self._session.write("POST", "/v1/sessions", orjson.dumps(body))

    def close_session(self) -> Changed:
        """Sign out."""
        return self._session.write("DELETE", "/v1/sessions/current")

    def me(self) -> MeShown:
        """Whose credential this client has."""
        return self._session.get("/v1/me")

    def change_password(self, current: str, new: str) -> Changed:
        """Change the password of the user who asks."""
        return self._session.write("POST", "/v1/me/password", orjson.dumps({"current": current, "new": new}))


def _user_path(name: str) -> str:
    return f"/v1/users/{quote(name, safe='')}"
