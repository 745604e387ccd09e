/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The kernel's types, as far as region_stream.bpf.c reads them. CO-RE looks the offsets up in the
 * running kernel's BTF, so that only names and kinds matter here. */
#pragma once

typedef signed int __s32;
typedef signed long long __s64;
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

typedef _Bool bool;

enum bpf_map_type { BPF_MAP_TYPE_RINGBUF = 27 };

enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };

enum { BPF_RB_AVAIL_DATA = 0 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct damon_addr_range {
    unsigned long start;
    unsigned long end;
};

struct damon_region {
    struct damon_addr_range ar;
    unsigned int nr_accesses;
    unsigned int age;
};

struct damon_target;

typedef struct {
    int counter;
} atomic_t;

struct signal_struct {
    atomic_t live;
};

struct task_struct {
    int pid;
    int tgid;
    struct signal_struct *signal;
};

#pragma clang attribute pop
