/* Preloaded: makes the nth write to, or fsync of, the ledger fail. Only for tests.
   KEYRITE_FAIL_CALL write | fsync · KEYRITE_FAIL_AT n, from 1 · KEYRITE_FAIL_ERRNO number ·
   KEYRITE_FAIL_LOG a file that is made when the fault was injected · KEYRITE_FAIL_WHEN a file without
   which no call is counted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long seen;

/* Sticky from the nth call on: a full disk stays full. */
static int fails(const char *call, int descriptor) {
  const char *wanted = getenv("KEYRITE_FAIL_CALL"), *at = getenv("KEYRITE_FAIL_AT");
  if (!wanted || !at || strcmp(wanted, call) != 0) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (!strstr(path, "/ledger.db") || strstr(path, ".holder")) return 0;
  const char *when = getenv("KEYRITE_FAIL_WHEN");
  if (when && access(when, F_OK) != 0) return 0;
  if (++seen < atol(at)) return 0;
  const char *log = getenv("KEYRITE_FAIL_LOG");
  if (log) close(open(log, O_WRONLY | O_CREAT, 0600));
  errno = atoi(getenv("KEYRITE_FAIL_ERRNO"));
  return 1;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t at) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  return fails("write", descriptor) ? -1 : real(descriptor, bytes, length, at);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t at) {
  return pwrite64(descriptor, bytes, length, at);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "write");
  return fails("write", descriptor) ? -1 : real(descriptor, bytes, length);
}

int fsync(int descriptor) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fsync");
  return fails("fsync", descriptor) ? -1 : real(descriptor);
}

int fdatasync(int descriptor) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  return fails("fsync", descriptor) ? -1 : real(descriptor);
}
