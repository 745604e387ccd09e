/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the BPF programs and user space share, in plain C for both. Integers are of the types that
 * have one size in both worlds. */
#pragma once

enum {
    cgtide_ways = 8,
    /* Powers of two. A key that finds all ways of its set taken has no place: with 64 kdamonds, or
     * 1000 cgroups, that is one chance in a thousand. */
    cgtide_kdamond_sets = 64,
    cgtide_cgroup_sets = 1024,
    /* Ancestors of a task's cgroup that are looked up, from the root's children down. */
    cgtide_levels = 16,
    /* One cgroup's changes are told once in so many nanoseconds. */
    cgtide_change_window_ns = 100000000,
    /* A ring that fills wakes its reader at most once in so many nanoseconds. */
    cgtide_wake_gap_ns = 10000000,
};

/* A part of a table of keys that user space writes and the programs read; 0 is no key. A key has
 * its place in one set alone, in any way of it, so that taking one out moves no other. */
struct cgtide_set {
    unsigned long long key[cgtide_ways];
    /* The programs' word of the key: the events of a kdamond so far, or when a change of a cgroup
     * was told last. */
    unsigned long long mark[cgtide_ways];
};

/* The programs' global data, which user space maps. */
struct cgtide_shared {
    unsigned long long lost_regions; /* events that the ring had no room for */
    unsigned long long lost_changes;
    unsigned long long wake_bytes; /* the reader is woken where so much waits */
    unsigned long long woken_ns;
    struct cgtide_set kdamonds[cgtide_kdamond_sets]; /* pids */
    struct cgtide_set cgroups[cgtide_cgroup_sets];   /* cgroup ids */
};

/* One region at the end of one aggregation. */
struct cgtide_region_event {
    unsigned long long at_ns; /* CLOCK_MONOTONIC */
    unsigned long long start;
    unsigned long long end;
    unsigned int kdamond;
    unsigned int sequence; /* counts this kdamond's events, those that were lost too */
    unsigned int index;
    unsigned int nr_regions;
    unsigned int accesses;
    unsigned int age;
};

/* The processes of a cgroup have changed. */
struct cgtide_change_event {
    unsigned long long at_ns;
    unsigned long long cgroup;
    unsigned int pid;
    unsigned int kind; /* cgtide_forked to cgtide_exited */
};

enum { cgtide_forked, cgtide_executed, cgtide_exited };

/* The set of a key, by Fibonacci hashing: ids and pids count up from one another. */
static inline unsigned int cgtide_set_of(unsigned long long key, unsigned int sets) {
    return (unsigned int)((key * 0x9E3779B97F4A7C15ULL) >> 32U) & (sets - 1U);
}
