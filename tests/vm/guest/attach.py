"""Attaches apps and detaches them again and again by one connection. usage: attach.py SOCKET TIMES NAME:APP..."""

import json
import socket
import sys


def call(connection, method, parameters):
    """Sends one Varlink call and takes its reply; an error ends the program."""
    message = {"method": "io.cgtide.Engine." + method, "parameters": parameters}
    connection.sendall(json.dumps(message).encode() + b"\0")
    reply = b""
    while not reply.endswith(b"\0"):
        more = connection.recv(65536)
        if not more:
            sys.exit(f"{method}: the engine hung up")
        reply += more
    error = json.loads(reply[:-1]).get("error")
    if error:
        sys.exit(f"{method}: {reply[:-1].decode()}")


def main():
    path, times, *pairs = sys.argv[1:]
    apps = [dict(zip(("name", "app"), pair.split(":"))) for pair in pairs]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        for _ in range(int(times)):
            for method in ("Attach", "Detach"):
                for app in apps:
                    call(connection, method, app)


if __name__ == "__main__":
    main()
