# The summary as text.
def mib: . / 1048576 * 10 | round | "\(. / 10 | floor).\(. % 10) MiB";
def line($what; $text): "    \($what + " " * (16 - ($what | length)))\($text)";

"summary (\(.place), kernel \(.kernel), \(.runtime), \(.seconds) s)",
(.containers[] | .before as $old | .after as $new
 | "  \(.name)\(if .annotated then "" else " (no annotation)" end): "
   + if .passed then "as it should be" else "NOT as it should be" end,
   line("hot resident"; "\($old.hot_resident_bytes | mib) before, "
        + "\($new.hot_resident_bytes | mib) after, at least \(.least_hot_resident_bytes | mib)"),
   line("cold resident"; "\($old.cold_resident_bytes | mib) before, "
        + "\($new.cold_resident_bytes | mib) after"),
   line("reclaimed"; "\(.reclaimed_bytes | mib); in swap \($new.swap_bytes | mib), "
        + "at most \($new.most_swap_bytes | mib)"),
   line("PSI"; "\(.psi.some_avg10_percent) % now, tasks stalled "
        + "\(.psi.stalled_us / 1000 | round) ms in all; \(.refaults) refaults, "
        + "\(.major_faults) major faults"),
   if .annotated
   then line("last decision"; .last_decision | if . then "\(.reason): \(.text)" else "none" end)
   else line("touched"; "\(.files_opened_for_writing) of its files opened for writing by cgtided, "
             + "\(.processes_opened) of its processes opened")
   end,
   (.faults[] | line("WRONG"; .))),
(.faults[] | "  WRONG: \(.)"),
if .passed then "passed: the cold memory left, the hot stayed, the third was not touched"
else "FAILED" end
