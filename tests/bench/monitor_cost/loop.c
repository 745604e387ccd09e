// The least that counters can cost: reads files of each cgroup below a folder once a period, by
// kept descriptors, when the clock is at a multiple of the period, as the engine does.
//
// usage: monitor_cost_loop PERIOD_SECONDS FOLDER FILE...
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { kMost = 4096, kBytes = 1 << 16 };

int main(int argc, char** argv) {
    static int files[kMost];
    static char text[kBytes];
    int count = 0;
    if (argc < 4) {
        fprintf(stderr, "usage: monitor_cost_loop PERIOD_SECONDS FOLDER FILE...\n");
        return 2;
    }
    DIR* folder = opendir(argv[2]);
    if (folder == NULL) {
        perror(argv[2]);
        return 1;
    }
    for (struct dirent* entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        for (int i = 3; i < argc && count < kMost; ++i) {
            char path[512];
            snprintf(path, sizeof path, "%s/%s", entry->d_name, argv[i]);
            const int file = entry->d_type == DT_DIR && entry->d_name[0] != '.'
                                 ? openat(dirfd(folder), path, O_RDONLY)
                                 : -1;
            if (file >= 0) {
                files[count++] = file;
            }
        }
    }
    printf("%d\n", count);
    fflush(stdout);
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    const int period = atoi(argv[1]);
    next.tv_sec -= next.tv_sec % period;
    next.tv_nsec = 0;
    for (;;) {
        for (int i = 0; i < count; ++i) {
            if (pread(files[i], text, sizeof text, 0) < 0) {
                perror("pread");
                return 1;
            }
        }
        next.tv_sec += period;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
}
