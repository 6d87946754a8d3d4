// A failing disk: loaded before the C library, it counts calls of one kind, and makes the Nth call fail, or all from the Nth on.
// Example: FAILING_DISK="sync 17 once". With the kind `full`, one write is cut in half, and later ones fail. `change` is any call
// that changes files. With `kill`, the process ends in the Nth call: a write is cut in half, and of other calls nothing is done.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
  int changes = strcmp(of_kind, "read") && strcmp(of_kind, "full");
  if (strcmp(kind, of_kind) && !(changes && !strcmp(kind, "change"))) return 0;
  long number = atomic_fetch_add(&calls, 1) + 2 - first;
  return number > 0 ? number : 0;
}

static int fails(const char *of_kind) {
  long calls_late = late(of_kind);
  if (calls_late == 1 && !strcmp(how, "kill") && strcmp(of_kind, "write")) kill(getpid(), SIGKILL);
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
  if (fails("write")) {
    if (strcmp(how, "kill")) return errno = EIO, -1;
    NEXT(pwrite64)(file, bytes, count / 2, offset);
    kill(getpid(), SIGKILL);
  }
  switch (late("full")) {
    case 0: break;
    case 1: count = (count + 1) / 2; break;
    case 2: return errno = ENOSPC, -1;
    default: if (strcmp(how, "once")) return errno = ENOSPC, -1;
  }
  return NEXT(pwrite64)(file, bytes, count, offset);
}

ssize_t write(int file, const void *bytes, size_t count) {
  struct stat found;
  // Messages and responses go elsewhere.
  if (file > STDERR_FILENO && !fstat(file, &found) && S_ISREG(found.st_mode) && fails("write")) {
    if (strcmp(how, "kill")) return errno = EIO, -1;
    NEXT(write)(file, bytes, count / 2);
    kill(getpid(), SIGKILL);
  }
  return NEXT(write)(file, bytes, count);
}

int rename(const char *from, const char *to) {
  if (fails("rename")) return errno = EIO, -1;
  return NEXT(rename)(from, to);
}

int unlink(const char *path) {
  if (fails("unlink")) return errno = EIO, -1;
  return NEXT(unlink)(path);
}

#define OPEN(function) \
  int function(const char *path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    if (flags & O_CREAT && fails("create")) return errno = EIO, -1; \
    return NEXT(function)(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)
