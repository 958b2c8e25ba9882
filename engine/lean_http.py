"""aiohttp, and aiodocker on it, imported without the machine's authorities.

aiohttp reads them twice as it is imported, a tenth of a second of work in each gbnt that starts. An engine at a socket
needs none, and one over HTTPS is given what it is believed by (`docker_connection`).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without_authorities() -> Iterator[None]:
    ssl.SSLContext.set_default_verify_paths = lambda self: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        del ssl.SSLContext.set_default_verify_paths  # it was the base class's, and is again


with _without_authorities():
    import aiodocker
    import aiohttp
    from aiodocker.stream import Stream

__all__ = ["Stream", "aiodocker", "aiohttp"]
