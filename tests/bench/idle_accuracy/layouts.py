#!/usr/bin/env python3
"""Writes as JSON which containers the idle-accuracy bench runs: groups that run together, one after the other.

usage: layouts.py [--layout fixed|SEED]...    (default: fixed, and the seeds 1 to 10)

A container is a list of arguments for cgtide-layout. A seed always gives the same layout, and six seeds in a row have every special case.
"""
import argparse
import json
import random

FIXED = {"a": (48, 80), "b": (16, 112), "c": (100, 28)}
SEEDS = range(1, 11)
GROUP_SIZE = 5
USES = ("hot", "hot", "never", "never", "every=2", "every=5", "every=25")
DATA = "/out/data"


def fixed():
    containers = []
    for name, (hot, cold) in FIXED.items():
        containers.append({
            "name": name,
            "seed": None,
            "special": "",
            "args": [
                f"anon:{hot}MiB:hot",
                f"anon:{cold}MiB:never",
                f"file:16MiB:hot:{DATA}/{name}-mapped",
                f"read:16MiB:hot:{DATA}/{name}-read",
                f"read:16MiB:never:{DATA}/{name}-cold",
            ],
        })
    return containers


def sparse(rng, _):
    return [f"sparse:{rng.randint(4, 12)}MiB:{rng.choice(('hot', 'never'))}"], []


def swapped(rng, _):
    return [f"swapped:{rng.randint(16, 32)}MiB:never"], []


def thp(rng, _):
    return [f"thp:{2 * rng.randint(8, 16)}MiB:hot"], []


def two_processes(rng, _):
    """Copy-on-write memory and shared memory, each used by one of the two, by both or by none."""
    first = [f"anon:{rng.randint(4, 16)}MiB:{rng.choice(('hot', 'never'))}",
             f"shm:{rng.randint(4, 16)}MiB:{rng.choice(('hot', 'never'))}"]
    second = [f"shared:{number}:{rng.choice(('hot', 'never'))}" for number in (0, 1)]
    return first, ["fork", *second, f"anon:{rng.randint(1, 8)}MiB:never"]


def two_containers(rng, name):
    return [f"file:{rng.randint(8, 16)}MiB:{rng.choice(('hot', 'never'))}:{DATA}/{name}-shared"], []


def twenty_processes(rng, _):
    rest = []
    for _child in range(19):
        rest.append("fork")
        for _segment in range(rng.randint(1, 3)):
            rest.append(f"anon:{rng.randint(1, 3)}MiB:{rng.choice(('hot', 'never'))}")
    return [], rest


SPECIALS = {
    "1 GiB sparse": sparse,
    "swapped": swapped,
    "THP": thp,
    "2 processes": two_processes,
    "2 containers": two_containers,
    "20 processes": twenty_processes,
}


def ordinary(rng, name):
    """Segments of 1 to 32 MiB, at least one of them cold."""
    segments = [f"anon:{rng.randint(12, 32)}MiB:never"]
    for number in range(rng.randint(2, 5)):
        kind = rng.choice(("anon", "anon", "anon", "anon", "file", "read"))
        path = "" if kind == "anon" else f":{DATA}/{name}-{number}"
        segments.append(f"{kind}:{rng.randint(1, 16)}MiB:{rng.choice(USES)}{path}")
    rng.shuffle(segments)
    return segments


def layout(seed):
    """The containers of one seed: one, or two that share a file."""
    rng = random.Random(seed)
    name = f"r{seed}"
    special = list(SPECIALS)[seed % len(SPECIALS)]
    # What a child shares it names by its number: so these come first.
    first, rest = SPECIALS[special](rng, name)
    containers = [{"name": name, "seed": seed, "special": special, "args": first + ordinary(rng, name) + rest}]
    if special == "2 containers":
        _, size, _, path = first[0].split(":")
        borrowed = f"borrowed:{size}:{rng.choice(('hot', 'never'))}:{path}"
        containers.append({"name": f"{name}-peer", "seed": seed, "special": special,
                           "args": [borrowed, *ordinary(rng, f"{name}-peer")]})
    return containers


def groups(wanted):
    made = []
    if "fixed" in wanted:
        made.append({"name": "fixed", "containers": fixed()})
    seeds = [int(name) for name in wanted if name != "fixed"]
    for begin in range(0, len(seeds), GROUP_SIZE):
        some = seeds[begin:begin + GROUP_SIZE]
        made.append({"name": f"seeds-{some[0]}-{some[-1]}",
                     "containers": [container for seed in some for container in layout(seed)]})
    return made


def main():
    parser = argparse.ArgumentParser(description="The containers of the idle-accuracy bench.")
    parser.add_argument("--layout", action="append", metavar="fixed|SEED", help="only this; may be repeated")
    options = parser.parse_args()
    wanted = options.layout or ["fixed", *map(str, SEEDS)]
    if not all(name == "fixed" or name.isdecimal() for name in wanted):
        parser.error("a layout is 'fixed' or the number of a seed")
    print(json.dumps({"groups": groups(wanted)}, indent=1))


if __name__ == "__main__":
    main()
