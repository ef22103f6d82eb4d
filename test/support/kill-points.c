/* Preloaded into Keyrite: counts the system calls that change, or make durable, a file below a folder, and kills
   at one of them, just before it is made. Only for tests. All variables are taken out of the environment at the
   start, so that a process which Keyrite starts counts nothing.
   KEYRITE_KILL_ROOT  the folder
   KEYRITE_KILL_AT    which of the calls, from 1; 0 kills at none
   KEYRITE_KILL_WHO   own, or both: the processes that Keyrite started as well, as when a machine stops
   KEYRITE_KILL_LOG   a file: a line `n commits call path` for each call; commits are the ledger's transactions that
                      were complete by then, as SQLite shows it: its journal was cut to nothing */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char root[4096];
static long at, seen, commits;
static int both, out = -1;

#define REAL(name, type, ...)                              \
  static type (*real)(__VA_ARGS__);                        \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("KEYRITE_KILL_ROOT"), *log = getenv("KEYRITE_KILL_LOG");
  if (!folder || !log) return;
  const char *which = getenv("KEYRITE_KILL_AT"), *who = getenv("KEYRITE_KILL_WHO");
  at = which ? atol(which) : 0;
  both = who && strcmp(who, "both") == 0;
  REAL("open", int, const char *, int, ...);
  out = real(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  snprintf(root, sizeof root, "%s/", folder);
  const char *const names[] = {"KEYRITE_KILL_ROOT", "KEYRITE_KILL_AT", "KEYRITE_KILL_WHO", "KEYRITE_KILL_LOG",
                               "LD_PRELOAD"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
}

/* Processes that this one started: those of the modules. */
static void kill_children(void) {
  char path[64], line[4096];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  FILE *children = fopen(path, "r");
  if (!children) return;
  if (fgets(line, sizeof line, children)) {
    char *rest = line, *word;
    while ((word = strsep(&rest, " ")))
      if (atoi(word) > 0) kill(atoi(word), SIGKILL);
  }
  fclose(children);
}

static void point(const char *call, const char *path) {
  if (out < 0 || strncmp(path, root, strlen(root)) != 0) return;
  long n = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
  char line[4400];
  int length = snprintf(line, sizeof line, "%ld %ld %s %s\n", n, commits, call, path + strlen(root));
  REAL("write", ssize_t, int, const void *, size_t);
  if (real(out, line, (size_t)length) != length) abort();
  if (n != at) return;
  if (both) kill_children();
  kill(getpid(), SIGKILL);
}

static const char *path_of(int descriptor, char *path, size_t room) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = out < 0 ? -1 : readlink(link, path, room - 1);
  path[length < 0 ? 0 : length] = 0;
  return path;
}

static void point_at(const char *call, int descriptor) {
  char path[4096];
  if (out >= 0 && descriptor != out) point(call, path_of(descriptor, path, sizeof path));
}

#define OPEN(name)                                                              \
  int name(const char *path, int flags, ...) {                                  \
    REAL(#name, int, const char *, int, ...);                                   \
    va_list rest;                                                               \
    va_start(rest, flags);                                                      \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                   \
    va_end(rest);                                                               \
    if (flags & (O_CREAT | O_TRUNC)) point("open", path);                       \
    return real(path, flags, mode);                                             \
  }
OPEN(open)
OPEN(open64)

#define WRITE(name, more, names)                                                \
  ssize_t name(int descriptor, const void *bytes, size_t length more) {         \
    REAL(#name, ssize_t, int, const void *, size_t more);                       \
    point_at("write", descriptor);                                              \
    return real(descriptor, bytes, length names);                               \
  }
#define COMMA ,
WRITE(write, , )
WRITE(pwrite, COMMA off_t offset, COMMA offset)
WRITE(pwrite64, COMMA off64_t offset, COMMA offset)

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  REAL("writev", ssize_t, int, const struct iovec *, int);
  point_at("write", descriptor);
  return real(descriptor, parts, count);
}

#define SYNC(name)                 \
  int name(int descriptor) {       \
    REAL(#name, int, int);         \
    point_at("sync", descriptor);  \
    return real(descriptor);       \
  }
SYNC(fsync)
SYNC(fdatasync)

static void cut(int descriptor, off_t length, int code) {
  static const char journal[] = "/ledger.db-journal";
  char path[4096];
  if (code != 0 || length != 0) return;
  size_t size = strlen(path_of(descriptor, path, sizeof path));
  if (size > sizeof journal && strcmp(path + size - sizeof journal + 1, journal) == 0) commits++;
}

#define TRUNCATE(name, type)                  \
  int name(int descriptor, type length) {     \
    REAL(#name, int, int, type);              \
    point_at("truncate", descriptor);         \
    int code = real(descriptor, length);      \
    cut(descriptor, length, code);            \
    return code;                              \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int rename(const char *from, const char *to) {
  REAL("rename", int, const char *, const char *);
  point("rename", to);
  return real(from, to);
}

int link(const char *from, const char *to) {
  REAL("link", int, const char *, const char *);
  point("link", to);
  return real(from, to);
}

int unlink(const char *path) {
  REAL("unlink", int, const char *);
  point("unlink", path);
  return real(path);
}

int rmdir(const char *path) {
  REAL("rmdir", int, const char *);
  point("rmdir", path);
  return real(path);
}

int mkdir(const char *path, mode_t mode) {
  REAL("mkdir", int, const char *, mode_t);
  point("mkdir", path);
  return real(path, mode);
}
