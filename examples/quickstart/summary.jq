# The summary, from what was known before and after, all samples, and how many files of a group the
# engine opened for writing, and processes of it.

# At least so much of the cold bytes must be out, and at most so much of the hot ones.
def cold_out_least: 0.80;
def hot_out_most: 0.05;
# Three runs of the third container without cgtide differed by 820 KiB at their end. Within a run
# usage moves less: by what the kernel charges ahead, 64 pages for a processor.
def usage_spread: 262144;

def named(list; $name): [list[] | select(.name == $name)] | first;
def stalled: .pressure | capture("total=(?<v>[0-9]+)").v | tonumber;
def average: .pressure | capture("avg10=(?<v>[0-9.]+)").v | tonumber;
def out($before; $after): if $before > 0 then ($before - $after) / $before else 0 end;
def percent: . * 1000 | round | "\(. / 10) %";

def cold_faults: .cold_bytes as $all | .after.cold_resident_bytes as $now
    | if .name == "cold" and out($all; $now) < cold_out_least
      then ["only \(out($all; $now) | percent) of the cold memory is out"] else [] end;
def hot_faults:
    if out(.hot_bytes; .least_hot_resident_bytes) > hot_out_most
    then ["\(out(.hot_bytes; .least_hot_resident_bytes) | percent) of the hot memory was out"]
    else [] end;
def touch_faults:
    if .annotated then [] else
        (.after.usage_bytes - .before.usage_bytes) as $moved
        | [if .files_opened_for_writing > 0 then "the engine opened its files for writing"
           else empty end,
           if .processes_opened > 0 then "the engine opened its processes" else empty end,
           if .after.most_swap_bytes > 0 then "\(.after.most_swap_bytes) bytes of it were in swap"
           else empty end,
           if .refaults > 0 then "\(.refaults) refaults" else empty end,
           if .major_faults > 0 then "\(.major_faults) major faults" else empty end,
           if ($moved | fabs) > usage_spread then "its usage changed by \($moved) bytes"
           else empty end]
    end;

def state($f): $f.counters + {hot_resident_bytes: $f.sample.hot_resident,
                              cold_resident_bytes: $f.sample.cold_resident};

def container($name):
    named($before.containers; $name) as $old | named($after.containers; $name) as $new
    | named($after.engine.containers; $name) as $managed | $samples[$name] as $all
    | {name: $name, annotated: ($managed != null),
       hot_bytes: $all[0].hot_bytes, cold_bytes: $all[0].cold_bytes,
       before: state($old + {sample: $all[0]}), after: state($new),
       least_hot_resident_bytes: ([$all[].hot_resident] | min),
       reclaimed_bytes: (if $managed then $managed.taken_bytes else 0 end),
       psi: {some_avg10_percent: ($new | average),
             stalled_us: (($new | stalled) - ($old | stalled))},
       refaults: ($new.counters.refaults - $old.counters.refaults),
       major_faults: ($new.counters.major_faults - $old.counters.major_faults),
       last_decision: (if $managed and $managed.last
                       then $managed.last | {reason, text, inputs, outcome} else null end)}
    + if $managed then {} else $plain_opened end
    | .faults = cold_faults + hot_faults + touch_faults
    | .passed = (.faults == []);

{place: $place, kernel: $kernel, runtime: $runtime, seconds: $seconds,
 containers: [container("cold", "hot", "plain")],
 # A trace that shows nothing of the cold container proves nothing of the third. A process is opened
 # to be watched too, so that tells nothing of how memory left.
 faults: (if ($cold_opened | add) > 0 then []
           else ["the trace of the engine shows nothing of the cold container"] end)}
| .passed = (.faults == [] and all(.containers[]; .passed))
