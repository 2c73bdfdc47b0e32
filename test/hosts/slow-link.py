#!/usr/bin/env python3
"""Two Ethernet interfaces, NEAR and FAR: what comes in at one leaves at the other DELAY ms later, give or take JITTER ms.
For kernels without netem. usage: slow-link.py DELAY JITTER NEAR FAR; it ends with its stdin."""
import fcntl, heapq, os, random, select, struct, sys, time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
delay, jitter, names = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3:5]


def tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


near, far = map(tap, names)
other = {near: far, far: near}
due, count = [], 0
poll = select.epoll()
for fd in (near, far, 0):
    poll.register(fd, select.EPOLLIN | select.EPOLLHUP)
print("ready", flush=True)
while True:
    now = time.monotonic()
    while due and due[0][0] <= now:
        _, _, to, frame = heapq.heappop(due)
        try:
            os.write(to, frame)
        except OSError:
            pass  # The interface is full or down: a frame is lost, as on any wire.
    for fd, _ in poll.poll(max(0, due[0][0] - now) if due else -1):
        if fd == 0:
            sys.exit(0)
        while True:
            try:
                frame = os.read(fd, 65536)
            except OSError:
                break
            count += 1
            at = time.monotonic() + (delay + random.uniform(-jitter, jitter)) / 1000
            heapq.heappush(due, (at, count, other[fd], frame))
