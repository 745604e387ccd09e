#!/usr/bin/env python3
"""Holds that every header of the tree compiles by itself: headers_alone.py ROOT COMPILER.

A header that a source of the product includes first has been compiled so by the build; the others are compiled here. Sources of tests do not
count, for they may be joined."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

PRODUCT = ("cgroup", "oci", "hook", "engine")
FIRST = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<[^>]+>)', re.M)


def first_include(text):
    found = FIRST.search(text)
    return found.group(1) if found else None


def left_over(headers, sources):
    """The headers that none of the sources (their texts) includes before all else."""
    first = {first_include(text) for text in sources}
    return [header for header in headers if header not in first]


def compile_alone(root, compiler, header):
    source = f'#include "{header}"\n'
    flags = ["-std=c++20", "-fsyntax-only", "-I", str(root), "-x", "c++", "-",
             "-DBOOST_ASIO_SEPARATE_COMPILATION", '-DCGTIDE_VERSION="0"']
    done = subprocess.run([compiler, *flags], input=source, text=True, capture_output=True,
                          check=False)
    return header, done.returncode, done.stderr


def below(root, tops, pattern):
    return sorted(path for top in tops for path in (root / top).rglob(pattern))


def main():
    root, compiler = pathlib.Path(sys.argv[1]), sys.argv[2]
    headers = [str(path.relative_to(root)) for path in below(root, (*PRODUCT, "tests"), "*.hpp")]
    rest = left_over(headers, [path.read_text() for path in below(root, PRODUCT, "*.cpp")])
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for header, status, text in pool.map(
                lambda name: compile_alone(root, compiler, name), rest):
            if status != 0:
                failed += 1
                print(f"{header} does not compile alone:\n{text}")
    print(f"{len(headers)} headers, {len(rest)} compiled here, {failed} do not compile alone")
    return 1 if failed or not rest else 0


if __name__ == "__main__":
    sys.exit(main())
