#!/usr/bin/env python3
"""The include check finds what it is there to find."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from check_includes import read_layers, violations  # noqa: E402

LAYERS = read_layers(
    "# comment\ncgroup/base:\ncgroup/parse: cgroup/base\ncgroup: cgroup/parse\n"
    "engine/model: cgroup/parse\nengine/apps: engine/model\nengine: *\n"
)


class CheckIncludes(unittest.TestCase):
    def check(self, path, include):
        return violations({path: f"#include {include}\n"}, LAYERS)

    def test_allows_neighbours_and_what_their_headers_show(self):
        self.assertEqual([], self.check("engine/apps/a.cpp", '"engine/model/m.hpp"'))
        self.assertEqual([], self.check("engine/apps/a.cpp", '"cgroup/parse/p.hpp"'))
        self.assertEqual([], self.check("engine/main.cpp", '"cgroup/group.hpp"'))

    def test_finds_a_forbidden_room(self):
        self.assertEqual(1, len(self.check("engine/apps/a.cpp", '"cgroup/group.hpp"')))
        self.assertEqual(1, len(self.check("cgroup/parse/p.cpp", '"cgroup/group.hpp"')))

    def test_finds_an_unknown_room(self):
        self.assertEqual(1, len(self.check("engine/apps/a.cpp", '"nowhere/x.hpp"')))
        self.assertEqual(1, len(self.check("attic/a.cpp", "<vector>")))

    def test_finds_heavy_headers_in_headers_alone(self):
        self.assertEqual(1, len(self.check("engine/model/m.hpp", "<nlohmann/json.hpp>")))
        self.assertEqual([], self.check("engine/model/m.cpp", "<nlohmann/json.hpp>"))

    def test_finds_asio_below_the_core(self):
        self.assertEqual(1, len(self.check("engine/apps/a.cpp", "<boost/asio/post.hpp>")))


if __name__ == "__main__":
    unittest.main()
