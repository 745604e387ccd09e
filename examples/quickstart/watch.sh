# shellcheck shell=bash
# What is known of the containers, the table that shows it, and the verdict. Sourced by run.sh after
# containers.sh.

readonly MIB=$((1024 * 1024))
# The cold container must lose this share of its cold bytes within this time; the hot memory is
# watched for a while longer.
readonly COLD_OUT_PERCENT=80 RECLAIM_SECONDS=300 WATCH_ON_SECONDS=30
readonly TABLE_SECONDS=3

# last_sample NAME: prints what the container counted last, or null.
last_sample() {
    local line=''
    # A line that is being written has no end yet.
    line=$(tail -n 2 "$OUT/$1.jsonl" 2>/dev/null | grep '}$' | tail -n 1) || true
    printf '%s' "${line:-null}"
}

# counters NAME: prints what the kernel counts for the container, as a JSON object.
counters() {
    local folder=$GROUP/$1 key value anon=0 file=0 faults=0
    while read -r key value; do
        case $key in
            workingset_refault_anon) anon=$value ;;
            workingset_refault_file) file=$value ;;
            pgmajfault) faults=$value ;;
        esac
    done <"$folder/memory.stat"
    printf '{"usage_bytes":%d,"swap_bytes":%d,"most_swap_bytes":%d' "$(<"$folder/memory.current")" \
        "$(<"$folder/memory.swap.current")" "$(<"$folder/memory.swap.peak")"
    printf ',"refaults":%d,"major_faults":%d}' "$((anon + file))" "$faults"
}

# facts: prints a JSON object: the engine's list, and for each container its last sample, its
# processes, its pressure and the kernel's counters.
facts() {
    local name pressure list separator=''
    list=$(engine_cli ps --json) || die "cgtided does not answer: $(tail -n 5 "$OUT/engine.log")"
    printf '{"engine":%s,"containers":[' "$list"
    for name in "${NAMES[@]}"; do
        # some avg10=0.00 avg60=0.00 avg300=0.00 total=0
        read -r pressure <"$GROUP/$name/memory.pressure"
        printf '%s{"name":"%s","sample":%s,"processes":[%s],"pressure":"%s","counters":%s}' \
            "$separator" "$name" "$(last_sample "$name")" \
            "$(paste -sd, "$GROUP/$name/cgroup.procs")" "$pressure" "$(counters "$name")"
        separator=,
    done
    printf ']}'
}

# draw: prints the table; on a terminal over the one before.
draw() {
    local table
    table=$(facts | jq -r --argjson width "$WIDTH" -f "$HERE/table.jq") || die "no table: $table"
    [[ -z $LIVE || $DRAWN == 0 ]] || printf '\033[%dA\033[J' "$DRAWN"
    printf '%s\n' "$table"
    # Where tables follow one another a line between them helps.
    [[ -n $LIVE ]] || printf '\n'
    DRAWN=$(wc -l <<<"$table")
}

populated() {
    grep -qs '"event":"populated"' "$OUT/$1.jsonl"
}

watch_population() {
    local name deadline=$((SECONDS + 120)) told=$SECONDS
    say "waiting until each has filled its memory"
    for name in "${NAMES[@]}"; do
        until populated "$name"; do
            ((SECONDS < deadline)) || die "$name is not populated: $(<"$WORK/$name/output")"
            if ((SECONDS >= told + 2)); then
                say "$name fills its memory: $(($(<"$GROUP/$name/memory.current") / MIB)) MiB"
                told=$SECONDS
            fi
            sleep 0.2
        done
    done
}

cold_is_out() {
    last_sample cold | jq -e --argjson percent "$COLD_OUT_PERCENT" \
        '.cold_resident * 100 <= .cold_bytes * (100 - $percent)' >/dev/null
}

# watch_reclaim: shows the table until the cold memory is out and the hot was watched on, or the
# time is out. The verdict comes later.
watch_reclaim() {
    local began=$SECONDS end=$((SECONDS + RECLAIM_SECONDS)) out='' next=0
    say "cold memory leaves once it may be idle for 10 s"
    DRAWN=0
    while ((SECONDS < end)); do
        if ((SECONDS >= next)); then
            next=$((SECONDS + TABLE_SECONDS))
            draw
        fi
        if [[ -z $out ]] && cold_is_out; then
            out=$((SECONDS - began))
            end=$((SECONDS + WATCH_ON_SECONDS))
        fi
        sleep 0.5
    done
    if [[ -n $out ]]; then
        say "$COLD_OUT_PERCENT % of the cold memory was out after $out s; the hot was watched for" \
            "$WATCH_ON_SECONDS s more"
    else
        say "the cold memory was not out after $RECLAIM_SECONDS s"
    fi
}

# opened NAME: prints as a JSON object how many files of the container's group the engine opened for
# writing, and how often it opened a process of it, to watch it or to have memory of it leave
# without a file: both need that. strace writes a path with a descriptor's number, and as the call's
# argument.
opened() {
    local files processes
    files=$(grep -E "/quickstart/$1[/>\"]" "$OUT/opens.strace" |
        grep -cE 'O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)|creat\(') || true
    processes=$(jq -nr --arg name "$1" --argjson before "$BEFORE" --argjson after "$AFTER" '
        [$before, $after | .containers[] | select(.name == $name) | .processes[]]
        | unique | join("|")')
    printf '{"files_opened_for_writing":%d,"processes_opened":%d}' "$files" \
        "$(grep -cE "pidfd_open\(($processes)," "$OUT/opens.strace")"
}

# conclude: writes the summary, prints it, and ends with its verdict.
conclude() {
    local name samples='{}'
    for name in "${NAMES[@]}"; do
        samples=$(jq -s --arg name "$name" --argjson all "$samples" '$all + {($name): .}' \
            "$OUT/$name.jsonl")
    done
    jq -n -f "$HERE/summary.jq" --arg place "$PLACE" --arg runtime "$RUNTIME" \
        --arg kernel "$(uname -r)" --argjson seconds "$SECONDS" \
        --argjson before "$BEFORE" --argjson after "$AFTER" --argjson samples "$samples" \
        --argjson cold_opened "$(opened cold)" --argjson plain_opened "$(opened plain)" \
        >"$WORK/summary.json"
    mv "$WORK/summary.json" "$OUT/summary.json"
    printf '\n'
    jq -r -f "$HERE/text.jq" "$OUT/summary.json"
    [[ $(jq .passed "$OUT/summary.json") == true ]]
}
