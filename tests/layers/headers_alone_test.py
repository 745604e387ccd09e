#!/usr/bin/env python3
"""Only headers that a source includes first are taken as compiled alone."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from headers_alone import left_over  # noqa: E402


class LeftOver(unittest.TestCase):
    def test_leaves_out_what_a_source_includes_first(self):
        self.assertEqual(["b.hpp"], left_over(["a.hpp", "b.hpp"], ['// why\n#include "a.hpp"\n\n#include "b.hpp"\n']))

    def test_a_system_header_before_it_could_hide_what_it_lacks(self):
        self.assertEqual(["a.hpp"], left_over(["a.hpp"], ['#include <vector>\n#include "a.hpp"\n']))

    def test_sources_without_includes_compile_nothing(self):
        self.assertEqual(["a.hpp"], left_over(["a.hpp"], ["int main() {}\n", ""]))


if __name__ == "__main__":
    unittest.main()
