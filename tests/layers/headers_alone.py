#!/usr/bin/env python3
"""Compiles every header of the tree by itself: headers_alone.py ROOT COMPILER."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys


def compile_alone(root, compiler, header):
    source = f'#include "{header}"\n'
    flags = ["-std=c++20", "-fsyntax-only", "-I", str(root), "-x", "c++", "-",
             "-DBOOST_ASIO_SEPARATE_COMPILATION", '-DCGTIDE_VERSION="0"']
    done = subprocess.run([compiler, *flags], input=source, text=True, capture_output=True,
                          check=False)
    return header, done.returncode, done.stderr


def main():
    root, compiler = pathlib.Path(sys.argv[1]), sys.argv[2]
    headers = sorted(
        str(path.relative_to(root))
        for top in ("cgroup", "oci", "hook", "engine", "tests")
        for path in (root / top).rglob("*.hpp")
    )
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for header, status, text in pool.map(
                lambda name: compile_alone(root, compiler, name), headers):
            if status != 0:
                failed += 1
                print(f"{header} does not compile alone:\n{text}")
    print(f"{len(headers)} headers, {failed} do not compile alone")
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
