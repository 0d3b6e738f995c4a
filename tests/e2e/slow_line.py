"""A line between two TUN devices that takes its time and loses packets; not every kernel has netem.

Run as a program, it makes the devices, and carries packets between them until it is killed. The format of the
request: the kernel's Documentation/networking/tuntap.rst.
"""

from __future__ import annotations

import fcntl
import os
import random
import select
import struct
import sys
import time
from collections import deque

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
LONGEST = 65_536
READY = "ready"


def carry(ends: tuple[int, int], delay: float, loss: float) -> None:
    """Carry packets from each end to the other.

    Args:
        ends: the devices.
        delay: seconds that a packet is under way.
        loss: which part of the packets never arrives.

    """
    chance = random.Random(1)
    queues: dict[int, deque[tuple[float, bytes]]] = {end: deque() for end in ends}
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    while True:
        due = min((queue[0][0] for queue in queues.values() if queue), default=None)
        wait = None if due is None else max(0.0, due - time.monotonic())
        for end in select.select(ends, [], [], wait)[0]:
            packet = os.read(end, LONGEST)
            if chance.random() >= loss:
                queues[other[end]].append((time.monotonic() + delay, packet))
        for end, queue in queues.items():
            while queue and queue[0][0] <= time.monotonic():
                _put(end, queue.popleft()[1])


def _put(end: int, packet: bytes) -> None:
    """Write a packet; a device that is not up, or whose peer is full, loses it as a line does."""
    try:
        os.write(end, packet)
    except OSError:
        return


def _device(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


if __name__ == "__main__":
    devices = _device(sys.argv[1]), _device(sys.argv[2])
    print(READY, flush=True)
    carry(devices, float(sys.argv[3]), float(sys.argv[4]))
