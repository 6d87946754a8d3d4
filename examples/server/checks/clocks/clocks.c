// Clocks that a test moves: loaded before the C library, it adds what a shared file says to two clocks of the process. The file
// holds two signed numbers of nanoseconds, for the wall clock and the boot-time clock. The monotonic clock stays as it is.
// Example: MOVED_CLOCKS=/tmp/clocks
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *moved;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("MOVED_CLOCKS");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *memory = file < 0 ? MAP_FAILED : mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) abort();
  close(file);
  moved = memory;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  // Not through the C library, which may call this before it is ready to find its own function.
  int failed = syscall(SYS_clock_gettime, clock, time);
  if (failed || !moved || (clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME)) return failed;
  int64_t nanoseconds = time->tv_nsec + moved[clock == CLOCK_BOOTTIME] % 1000000000;
  time->tv_sec += moved[clock == CLOCK_BOOTTIME] / 1000000000 + nanoseconds / 1000000000;
  time->tv_nsec = nanoseconds % 1000000000;
  if (time->tv_nsec < 0) {
    time->tv_nsec += 1000000000;
    time->tv_sec -= 1;
  }
  return 0;
}
