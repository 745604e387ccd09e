"""Starts cgtided on a prepared tree and talks to it with python3-varlink: client.py CGTIDED SANDBOX ROOT RUN."""
import subprocess
import sys
import time

import varlink

cgtided, sandbox, root, run = sys.argv[1:]


def wait_for(condition, deadline):
    """Asks until it says yes: nothing tells when an engine that was just started listens."""
    while True:
        try:
            if answer := condition():
                return answer
        except OSError:
            pass
        assert time.monotonic() < deadline, "out of time"
        time.sleep(0.05)


engine = subprocess.Popen([cgtided, "--root", root, "--run-dir", run, "--config", "/dev/null",
                           "--sandbox", sandbox])
try:
    deadline = time.monotonic() + 30
    with varlink.Client.new_with_address(f"unix:{run}/cgtide.sock") as client:
        assert wait_for(client.get_interfaces, deadline) == ["org.varlink.service", "io.cgtide.Engine"]
        members = client.get_interface("io.cgtide.Engine").members
        for method in ("Register", "Unregister", "List", "Inspect", "Explain", "Idle", "Stat", "History",
                       "Watch", "Attach", "Detach", "ReleaseDamon", "Pause", "Resume", "Capabilities"):
            assert method in members, f"{method} is not in the interface's description"
        with client.open("io.cgtide.Engine") as interface:
            containers = wait_for(lambda: interface.List()["containers"], deadline)
            assert [c["name"] for c in containers] == ["web"], containers
            assert containers[0]["apps"] == ["stat", "reclaim"], containers
            assert [row["name"] for row in interface.Stat()["rows"]] == ["web"]
            assert interface.History(name="web")["points"] == []
            with client.open("io.cgtide.Engine") as stream:
                assert next(stream.Watch(name="web", _more=True))["container"]["name"] == "web"
            try:
                interface.Inspect(name="nobody")
                raise AssertionError("Inspect knows nobody")
            except varlink.VarlinkError as error:
                assert error.error() == "io.cgtide.Engine.NoSuchContainer", error
            print("listed:", containers[0]["name"], containers[0]["path"])
finally:
    engine.terminate()
    try:
        assert engine.wait(30) == 0
    finally:
        engine.kill()
