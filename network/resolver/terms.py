"""What gbnt and its resolver have to agree on; gbnt imports no more of it."""

from __future__ import annotations

VERSION = 2  # of the resolver: raised with any change worth replacing a running one for
SOCKET = "resolver.sock"
MOST_BYTES = 32 * 1024 * 1024  # of one line on the socket
RUNNING_ALREADY = 3  # the exit code of a second resolver for one runtime directory
