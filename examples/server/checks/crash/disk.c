// A failing disk: loaded before the C library, it counts calls of one kind, and makes the Nth call fail, or all from the Nth on.
// Example: FAILING_DISK="sync 17 once". With the kind `full`, one write is cut in half, and later ones fail.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char kind[32], how[32];
static long first;
static atomic_long calls;

__attribute__((constructor)) static void begin(void) {
  const char *wanted = getenv("FAILING_DISK");
  if (!wanted || sscanf(wanted, "%31s %ld %31s", kind, &first, how) != 3) abort();
}

// Returns the position of this call among the failing ones, 1 for the first; 0 if it succeeds.
static long late(const char *of_kind) {
  if (strcmp(kind, of_kind)) return 0;
  long number = atomic_fetch_add(&calls, 1) + 2 - first;
  return number > 0 ? number : 0;
}

static int fails(const char *of_kind) {
  long calls_late = late(of_kind);
  return strcmp(how, "once") ? calls_late > 0 : calls_late == 1;
}

#define NEXT(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

int fdatasync(int file) {
  if (fails("sync")) return errno = EIO, -1;
  return NEXT(fdatasync)(file);
}

int fsync(int file) {
  if (fails("sync")) return errno = EIO, -1;
  return NEXT(fsync)(file);
}

int ftruncate64(int file, off64_t length) {
  if (fails("truncate")) return errno = EIO, -1;
  return NEXT(ftruncate64)(file, length);
}

ssize_t pread64(int file, void *bytes, size_t count, off64_t offset) {
  if (fails("read")) return errno = EIO, -1;
  return NEXT(pread64)(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
  if (fails("write")) return errno = EIO, -1;
  switch (late("full")) {
    case 0: break;
    case 1: count = (count + 1) / 2; break;
    case 2: return errno = ENOSPC, -1;
    default: if (strcmp(how, "once")) return errno = ENOSPC, -1;
  }
  return NEXT(pwrite64)(file, bytes, count, offset);
}
