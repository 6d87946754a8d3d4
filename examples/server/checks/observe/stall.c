// A disk that does not respond while a file exists: loaded before the C library. Example: STALLED_WHILE=/tmp/stalled.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_for_disk(void) {
  const char *file = getenv("STALLED_WHILE");
  while (file && !access(file, F_OK)) usleep(5000);
}

#define NEXT(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

int fdatasync(int file) {
  wait_for_disk();
  return NEXT(fdatasync)(file);
}

int fsync(int file) {
  wait_for_disk();
  return NEXT(fsync)(file);
}
