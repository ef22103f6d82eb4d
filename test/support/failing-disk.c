/* Preloaded: makes the nth write to, or fsync of, the ledger fail, and every one behind it. Only for tests.
   KEYRITE_FAIL_CALL write | fsync | short (a write of one half is no failure, and must not be taken for one)
   KEYRITE_FAIL_AT n, from 1 · KEYRITE_FAIL_ONCE only the nth · KEYRITE_FAIL_ERRNO number
   KEYRITE_FAIL_PATH part of a path, in place of the ledger's · KEYRITE_FAIL_UNDER every file below this folder
   KEYRITE_FAIL_WHEN, KEYRITE_FAIL_WHILE files without which no call is counted, and none fails
   KEYRITE_FAIL_LOG a file to which FAULT is appended when the first fault was injected
   KEYRITE_FAIL_RUN another value begins to count anew, within one process. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long seen, run, said;

/* Not the ledger, but what lies beside it or passes through: a disk may take these and no more. */
static int beside(const char *path) {
  static const char *const names[] = {".holder", ".reserve", ".lock", "/tokens/", "/transcripts/"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strstr(path, names[i])) return 1;
  return 0;
}

static int meant(const char *path) {
  const char *place = getenv("KEYRITE_FAIL_UNDER"), *part = getenv("KEYRITE_FAIL_PATH");
  if (part) return strstr(path, part) != NULL;
  if (place) return strncmp(path, place, strlen(place)) == 0 && !beside(path);
  return strstr(path, "/ledger.db") && !beside(path);
}

/* Sticky from the nth call on, unless once: a full disk stays full. */
static int fails(const char *call, int descriptor) {
  const char *wanted = getenv("KEYRITE_FAIL_CALL"), *at = getenv("KEYRITE_FAIL_AT");
  if (!wanted || !at || strcmp(wanted, call) != 0) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (!meant(path)) return 0;
  const char *when = getenv("KEYRITE_FAIL_WHEN"), *during = getenv("KEYRITE_FAIL_WHILE");
  if ((when && access(when, F_OK) != 0) || (during && access(during, F_OK) != 0)) return 0;
  const char *again = getenv("KEYRITE_FAIL_RUN");
  if (again && atol(again) != run) run = atol(again), seen = said = 0;
  seen++;
  if (seen < atol(at) || (seen > atol(at) && getenv("KEYRITE_FAIL_ONCE"))) return 0;
  const char *log = getenv("KEYRITE_FAIL_LOG");
  if (log && !said++) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (real(file, "FAULT\n", 6) != 6) abort();
    close(file);
  }
  const char *number = getenv("KEYRITE_FAIL_ERRNO");
  errno = number ? atoi(number) : EIO;
  return 1;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t at) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  if (fails("write", descriptor)) return -1;
  if (length > 1 && fails("short", descriptor)) length /= 2;
  return real(descriptor, bytes, length, at);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t at) {
  return pwrite64(descriptor, bytes, length, at);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = dlsym(RTLD_NEXT, "write");
  if (fails("write", descriptor)) return -1;
  if (length > 1 && fails("short", descriptor)) length /= 2;
  return real(descriptor, bytes, length);
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
