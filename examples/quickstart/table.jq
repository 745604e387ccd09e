# One table of what `facts` printed, in lines of at most $width characters.
def left(n): . + " " * ([n - length, 0] | max);
def right(n): " " * ([n - length, 0] | max) + .;
def mib: . / 1048576 * 10 | round | "\(. / 10 | floor).\(. % 10)";
def resident($now; $of):
    if ($of // 0) == 0 then "-" else "\($now | mib) of \($of / 1048576 | floor) MiB" end;
def row($name; $hot; $cold; $taken; $psi; $last):
    ($name | left(6)) + ($hot | right(16)) + ($cold | right(17)) + ($taken | right(11))
    + ($psi | right(9)) + "  " + $last
    | .[0:$width];

.engine.containers as $managed
| row("NAME"; "HOT RESIDENT"; "COLD RESIDENT"; "RECLAIMED"; "PSI"; "LAST DECISION"),
  (.containers[] | . as $c | ([$managed[] | select(.name == $c.name)] | first) as $m
   | row($c.name;
         resident($c.sample.hot_resident; $c.sample.hot_bytes);
         resident($c.sample.cold_resident; $c.sample.cold_bytes);
         if $m then ($m.taken_bytes | mib) + " MiB" else "-" end;
         ($c.pressure | capture("avg10=(?<v>[0-9.]+)").v) + " %";
         if $m == null then "- (no annotation)"
         elif $m.last then "\($m.last.reason): \($m.last.text)" else "-" end))
