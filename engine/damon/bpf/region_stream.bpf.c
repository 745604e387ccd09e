// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Tells user space of the regions of its own kdamonds, and of processes that come and go in the
// cgroups that it watches. Both are filtered here, so that nobody else's fill the rings.
#include "layout.h"
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

// The kernel lets programs of this licence alone read its structures.
char program_license[] SEC("license") = "GPL";

struct cgtide_shared shared;

// User space gives both rings their sizes before it loads them.
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} regions SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} changes SEC(".maps");

// The way of a key in its set, or cgtide_ways.
static __always_inline int way_of(const struct cgtide_set* set, __u64 key) {
    int found = cgtide_ways;
#pragma unroll
    for (int way = 0; way < cgtide_ways; way++) {
        if (set->key[way] == key) {
            found = way;
        }
    }
    return found;
}

// Regions come in bursts and are read once an aggregation by a reader's own timer: a wake for each
// would cost more than reading them. Only a ring that fills wakes.
static __always_inline __u64 wake_flag(__u64 now) {
    if (bpf_ringbuf_query(&regions, BPF_RB_AVAIL_DATA) < shared.wake_bytes ||
        now - shared.woken_ns < cgtide_wake_gap_ns) {
        return BPF_RB_NO_WAKEUP;
    }
    shared.woken_ns = now;
    return BPF_RB_FORCE_WAKEUP;
}

static __always_inline int tell_region(__u32 index, struct damon_region* region, __u32 nr_regions) {
    __u32 pid = (__u32)bpf_get_current_pid_tgid();
    struct cgtide_set* set = &shared.kdamonds[cgtide_set_of(pid, cgtide_kdamond_sets)];
    __u32 way = way_of(set, pid);
    if (way >= cgtide_ways) {
        return 0;
    }
    // One kernel thread alone writes this mark.
    __u64 sequence = set->mark[way];
    set->mark[way] = sequence + 1;
    __u64 now = bpf_ktime_get_ns();
    struct cgtide_region_event* event = bpf_ringbuf_reserve(&regions, sizeof(*event), 0);
    if (!event) {
        __sync_fetch_and_add(&shared.lost_regions, 1);
        return 0;
    }
    event->at_ns = now;
    event->start = region->ar.start;
    event->end = region->ar.end;
    event->kdamond = pid;
    event->sequence = (__u32)sequence;
    event->index = index;
    event->nr_regions = nr_regions;
    event->accesses = region->nr_accesses;
    event->age = region->age;
    bpf_ringbuf_submit(event, wake_flag(now));
    return 0;
}

SEC("tp_btf/damon_aggregated")
int BPF_PROG(aggregated, __u32 index, struct damon_region* region, __u32 nr_regions) {
    return tell_region(index, region, nr_regions);
}

// Older kernels tell the target too.
SEC("tp_btf/damon_aggregated")
int BPF_PROG(aggregated_of_target, struct damon_target* target, __u32 index,
             struct damon_region* region, __u32 nr_regions) {
    return tell_region(index, region, nr_regions);
}

// The innermost watched cgroup that the current task is in, or 0.
static __always_inline __u64 watched_cgroup(void) {
    __u64 found = 0;
    for (int level = 1; level <= cgtide_levels; level++) {
        __u64 id = bpf_get_current_ancestor_cgroup_id(level);
        if (id == 0) {
            break;
        }
        if (way_of(&shared.cgroups[cgtide_set_of(id, cgtide_cgroup_sets)], id) < cgtide_ways) {
            found = id;
        }
    }
    return found;
}

static __always_inline int tell_change(__u32 kind, __u32 pid) {
    __u64 id = watched_cgroup();
    if (id == 0) {
        return 0;
    }
    struct cgtide_set* set = &shared.cgroups[cgtide_set_of(id, cgtide_cgroup_sets)];
    __u32 way = way_of(set, id);
    if (way >= cgtide_ways) {
        return 0;
    }
    __u64 now = bpf_ktime_get_ns();
    __u64 told = set->mark[way];
    // Another processor may have told a moment later than `now`, or be about to.
    if (now < told + cgtide_change_window_ns ||
        __sync_val_compare_and_swap(&set->mark[way], told, now) != told) {
        return 0;
    }
    struct cgtide_change_event* event = bpf_ringbuf_reserve(&changes, sizeof(*event), 0);
    if (!event) {
        __sync_fetch_and_add(&shared.lost_changes, 1);
        return 0;
    }
    event->at_ns = now;
    event->cgroup = id;
    event->pid = pid;
    event->kind = kind;
    bpf_ringbuf_submit(event, 0);
    return 0;
}

// Runs in the parent. A child that was born into another cgroup is told of by its exec.
SEC("tp_btf/sched_process_fork")
int BPF_PROG(forked, struct task_struct* parent, struct task_struct* child) {
    if (child->pid != child->tgid) {
        return 0;
    }
    return tell_change(cgtide_forked, child->tgid);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(executed, struct task_struct* task) {
    return tell_change(cgtide_executed, task->tgid);
}

// Only the last thread takes the process with it.
SEC("tp_btf/sched_process_exit")
int BPF_PROG(exited, struct task_struct* task) {
    if (task->signal->live.counter != 0) {
        return 0;
    }
    return tell_change(cgtide_exited, task->tgid);
}
