#!/usr/bin/env python3
"""Holds every #include of the tree against docs/design/layers.txt.

A room may include itself, cgroup/base, the rooms that its line names, and what those rooms' headers show (the rooms that their headers may
include). Third-party headers that are heavy belong in .cpp files.
"""
import pathlib
import re
import sys

ROOTS = ("cgroup", "oci", "hook", "engine")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)
HEAVY = re.compile(r"^(nlohmann/json\.hpp|spdlog/|libcgroup|seccomp\.h|toml\+\+/|CLI/|bpf/)")
# The one adapter header that a third-party header may stand in.
ADAPTERS = {"oci/record_json.hpp", "engine/core/settings_tables.hpp"}
ASIO_ROOMS = {"engine/core", "engine/serve", "engine"}


def read_layers(text):
    layers = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            room, _, allowed = line.partition(":")
            layers[room.strip()] = allowed.split()
    return layers


def room_of(path, layers):
    folder = pathlib.PurePosixPath(path).parent
    while str(folder) != ".":
        if str(folder) in layers:
            return str(folder)
        folder = folder.parent
    return None


def reachable(room, layers):
    """The rooms whose headers `room` may include."""
    if "*" in layers[room]:
        return set(layers)
    allowed = {room, "cgroup/base"} | set(layers[room])
    for neighbour in layers[room]:
        allowed |= set(layers[neighbour])
    return allowed


def violations(files, layers):
    """`files` maps a path below the root to its text."""
    found = []
    for path, text in sorted(files.items()):
        room = room_of(path, layers)
        if room is None:
            found.append(f"{path}: no room in layers.txt")
            continue
        allowed = reachable(room, layers)
        for own, foreign in INCLUDE.findall(text):
            if own:
                target = room_of(own, layers)
                if target is None or target not in allowed:
                    found.append(f"{path}: {room} may not include {own}")
            elif path.endswith(".hpp") and HEAVY.match(foreign) and path not in ADAPTERS:
                found.append(f"{path}: <{foreign}> belongs in a .cpp file")
            elif foreign.startswith("boost/asio") and room not in ASIO_ROOMS:
                found.append(f"{path}: Asio appears in engine/core and engine/serve alone")
    return found


def main():
    root = pathlib.Path(sys.argv[1])
    layers = read_layers((root / "docs/design/layers.txt").read_text())
    files = {
        str(path.relative_to(root)): path.read_text()
        for top in ROOTS
        for path in (root / top).rglob("*.?pp")
    }
    found = violations(files, layers)
    print("\n".join(found) or f"{len(files)} files keep the layers")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
