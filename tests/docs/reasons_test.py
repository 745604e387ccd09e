#!/usr/bin/env python3
"""The table of reason codes in docs/oncall.md is the one of engine/model/reason.cpp. usage: reasons_test.py ROOT"""
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ".")
ENTRY = re.compile(r'\{ReasonCode::\w+,\s*"([^"]+)",\s*((?:"[^"]*"\s*)+)\}')
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \|", re.M)


def in_code():
    """(name, meaning) in the order of kReasons."""
    text = (ROOT / "engine/model/reason.cpp").read_text()
    begin = text.index("kReasons{{")
    table = text[begin : text.index("}};", begin)]
    return [(name, "".join(re.findall(r'"([^"]*)"', parts))) for name, parts in ENTRY.findall(table)]


def in_page():
    """(name, meaning) in the order of the page."""
    text = (ROOT / "docs/oncall.md").read_text()
    section = text[text.index("### Reason codes") :].split("\n#")[0]
    return [(name, meaning.strip()) for name, meaning in ROW.findall(section)]


def codes_of_enum():
    text = (ROOT / "engine/model/reason.hpp").read_text()
    body = re.search(r"enum class ReasonCode[^{]*\{(.*?)\};", text, re.S).group(1)
    return re.findall(r"^\s*(\w+),", body, re.M)


class Reasons(unittest.TestCase):
    maxDiff = None

    def test_every_code_is_found_in_the_source(self):
        self.assertEqual(len(codes_of_enum()), len(in_code()))

    def test_page_and_source_agree(self):
        self.assertEqual(in_code(), in_page())

    def test_the_laws_name_all_codes_and_no_others(self):
        named = set()
        for app, begin, end in (
            ("reclaim", "## Gates", "## Refault brake"),
            ("tier", "## Reasons", "## Movers"),
            ("numa", "## Reasons", "## Beside the kernel's balancing"),
        ):
            page = (ROOT / f"docs/apps/{app}.md").read_text()
            section = page[page.index(begin) : page.index(end)]
            named |= set(re.findall(r"^\|[^|]*\|[^|]*\| `([^`]+)` \|", section, re.M))
        self.assertEqual({name for name, _ in in_code()}, named)


if __name__ == "__main__":
    unittest.main()
