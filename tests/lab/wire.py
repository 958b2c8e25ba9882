"""A long wire: `python -m tests.lab.wire ONE OTHER SECONDS` carries frames between two links, each after so long.

It says so once it does, and ends when one of the links does.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from collections import deque

# <linux/if_packet.h>
SOL_PACKET = 263
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23
EVERY_PROTOCOL = 3
LARGEST = 1 << 17


def carry(one: socket.socket, other: socket.socket, seconds: float) -> None:
    """Carry frames both ways. Raises OSError when a link is gone."""
    opposite = {one: other, other: one}
    on_the_way: deque[tuple[float, socket.socket, bytes]] = deque()
    while True:
        left = max(0.0, on_the_way[0][0] - time.monotonic()) if on_the_way else None
        for end in select.select([one, other], [], [], left)[0]:
            on_the_way.append((time.monotonic() + seconds, opposite[end], end.recv(LARGEST)))
        while on_the_way and on_the_way[0][0] <= time.monotonic():
            _, end, frame = on_the_way.popleft()
            end.send(frame)


def tap(link: str) -> socket.socket:
    """What reads and writes a link's frames.

    Before each goes what the kernel has put off: to cut it to the size of the link, and to make its checksum.
    """
    end = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    end.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    end.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    end.bind((link, EVERY_PROTOCOL))
    return end


def main(one: str, other: str, seconds: str) -> None:
    ends = tap(one), tap(other)
    sys.stdout.write("carrying\n")
    sys.stdout.flush()
    try:
        carry(*ends, float(seconds))
    except OSError:
        return  # a link is gone


if __name__ == "__main__":
    main(*sys.argv[1:])
