"""Fills a redis-server once, then asks it for skewed keys until SIGTERM. usage: redis_load.py SOCKET REPORT

One client, one GET after another. Appends lines of JSON to REPORT: `populated` when all values are written, `sample` each second
with the requests so far (`passes`) and the latencies of that second, `total` at the end with those of all the time. `heap_bytes` is
what the server's allocator holds by its own count, in RAM or in swap: servers that were filled alike differ by 2 MiB.

The keys' popularity is zipfian: the n-th most popular is asked for 1 / n**SKEW times as often as the first. Popularity says nothing
of when a value was written, so that popular ones lie all over the server's memory. The sequence is the same each time."""

import array
import itertools
import json
import random
import re
import signal
import socket
import sys
import time

VALUES = 16384
VALUE_BYTES = 4096
SKEW = 1.3  # the less popular half of the keys gets 1 % of the requests, as in Facebook's ETC (SIGMETRICS 2012)
BATCH = 256
# What follows a value in the protocol stands before it too: its length.
REPLY_BYTES = len(f"${VALUE_BYTES}\r\n") + VALUE_BYTES + len("\r\n")
SERVER_WAIT = 60.0


class Ended(Exception):
    """SIGTERM has come."""


def command(*words):
    """A command as the protocol wants it: an array of strings with their lengths."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def key(number):
    return b"key:%06d" % number


def value(generator):
    """Half of it does not compress, as the other cases' pages."""
    half = VALUE_BYTES // 2
    return generator.randbytes(half) + bytes(VALUE_BYTES - half)


def popularity(count=VALUES, skew=SKEW):
    """Key numbers, the most popular first, and the sums of their weights."""
    numbers = list(range(count))
    random.Random(1).shuffle(numbers)
    return numbers, list(itertools.accumulate(1 / rank**skew for rank in range(1, count + 1)))


def percentiles(latencies):
    """Of latencies in nanoseconds, in microseconds: by nearest rank."""
    ordered = sorted(latencies)
    if not ordered:
        return {}
    at = {"p50_us": 0.5, "p99_us": 0.99, "p999_us": 0.999, "max_us": 1.0}
    return {name: ordered[max(0, -int(-share * len(ordered) // 1) - 1)] / 1000 for name, share in at.items()}


def connect(path):
    """Waits for a server that listens, and has its socket."""
    until = time.monotonic() + SERVER_WAIT
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(path)
            return client
        except OSError:
            client.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def receive(client, buffer):
    """Fills a buffer with a reply of its very length."""
    got = 0
    while got < len(buffer):
        more = client.recv_into(buffer[got:])
        if more == 0:
            raise ConnectionError("the server has closed the connection")
        got += more


def fill(client):
    generator = random.Random(2)
    for first in range(0, VALUES, BATCH):
        numbers = range(first, min(first + BATCH, VALUES))
        client.sendall(b"".join(command(b"SET", key(number), value(generator)) for number in numbers))
        reply = memoryview(bytearray(len(b"+OK\r\n") * len(numbers)))
        receive(client, reply)
        if bytes(reply) != b"+OK\r\n" * len(numbers):
            raise ConnectionError(f"SET was answered by {bytes(reply[:80])!r}")


def heap_bytes(client):
    """What jemalloc calls resident: pages in use, its own, and those it has not given back. It does not know of swap."""
    client.sendall(command(b"INFO", b"memory"))
    reply, size = b"", None
    while size is None or len(reply) < size:
        more = client.recv(1 << 16)
        if not more:
            raise ConnectionError("the server has closed the connection")
        reply += more
        if size is None and b"\r\n" in reply:
            header, _, _ = reply.partition(b"\r\n")
            if not re.fullmatch(rb"\$[0-9]+", header):
                raise ConnectionError(f"INFO was answered by {header[:80]!r}")
            size = len(header) + int(header[1:]) + len(b"\r\n" * 2)
    found = re.search(rb"^allocator_resident:([0-9]+)", reply, re.MULTILINE)
    if not found:
        raise ConnectionError("INFO tells nothing of the allocator")
    return int(found[1])


class Report:
    def __init__(self, path):
        self.file = open(path, "a", encoding="ascii", buffering=1)
        self.all = array.array("q")
        self.told = 0
        self.heap = 0

    def write(self, event, latencies):
        line = {"event": event, "t": time.monotonic(), "passes": len(self.all), "cpu_s": time.process_time(),
                "heap_bytes": self.heap}
        # As the workload writes it: without spaces, for scenarios look for the text.
        self.file.write(json.dumps({**line, **percentiles(latencies)}, separators=(",", ":")) + "\n")

    def sample(self):
        self.write("sample", self.all[self.told :])
        self.told = len(self.all)


def ask(client, report):
    numbers, weights = popularity()
    commands = [command(b"GET", key(number)) for number in numbers]
    generator = random.Random(3)
    reply = memoryview(bytearray(REPLY_BYTES))
    begins = b"$%d\r\n" % VALUE_BYTES
    following = time.monotonic() + 1
    while True:
        for get in generator.choices(commands, cum_weights=weights, k=BATCH):
            before = time.perf_counter_ns()
            client.sendall(get)
            receive(client, reply)
            report.all.append(time.perf_counter_ns() - before)
            if reply[: len(begins)] != begins:
                raise ConnectionError(f"GET was answered by {bytes(reply[:80])!r}")
        if time.monotonic() >= following:
            report.heap = heap_bytes(client)
            report.sample()
            following += 1


def end(_signal, _frame):
    raise Ended


def main():
    path, report = sys.argv[1], Report(sys.argv[2])
    client = connect(path)
    fill(client)
    report.heap = heap_bytes(client)
    report.write("populated", [])
    signal.signal(signal.SIGTERM, end)
    try:
        ask(client, report)
    except Ended:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    report.write("total", report.all)


if __name__ == "__main__":
    main()
