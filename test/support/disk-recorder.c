/* Preloaded: records every call that changes a file or folder below one place, in the order in which they
   happened, with the bytes written: what a disk would have been asked to keep. Only for tests.
   KEYRITE_RECORD the record · KEYRITE_RECORD_UNDER the place. Calls that the replay knows nothing of are recorded
   as such, so that a replay can never be blind to them. A look at /keyrite-says/<word> says <word> in the record.
   One record: length of all, operation, length of path, length of other path, number; then the texts, then bytes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR, RMDIR, SAYS, UNKNOWN };

struct head {
  unsigned int size, operation, path, other;
  long long number;
};

#define REAL(type, name, ...)                                  \
  static type (*real)(__VA_ARGS__);                            \
  if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* Held over a call and its record: the order of the record is the order of the calls. Recursive, since one
   call of the C library may be made of another. */
static pthread_mutex_t order = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static const char *under(void) { return getenv("KEYRITE_RECORD_UNDER"); }

static int meant(const char *path) {
  const char *place = under();
  return place && path && strncmp(path, place, strlen(place)) == 0 && path[strlen(place)] == '/';
}

static void record(int operation, const char *path, const char *other, long long number, const void *bytes, size_t length) {
  static int file = -1;
  REAL(ssize_t, "write", int, const void *, size_t);
  const char *name = getenv("KEYRITE_RECORD");
  if (!name) return;
  if (file < 0) {
    REAL(int, "open", const char *, int, ...);
    file = real(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }
  struct head head = {0, operation, strlen(path), other ? strlen(other) : 0, number};
  head.size = sizeof head + head.path + head.other + length;
  char *whole = malloc(head.size), *at = whole;
  if (!whole) abort();
  at = mempcpy(at, &head, sizeof head);
  at = mempcpy(at, path, head.path);
  at = mempcpy(at, other ? other : "", head.other);
  mempcpy(at, bytes ? bytes : "", length);
  /* One write each: several processes append to the same record. */
  if (real(file, whole, head.size) != (ssize_t)head.size) abort();
  free(whole);
}

/* An absolute path without links, also where the last part is not there yet. */
static const char *absolute(int folder, const char *path, char *into) {
  char parent[4096], folderPath[4096];
  if (path[0] == '/')
    snprintf(parent, sizeof parent, "%s", path);
  else {
    char link[64], base[2048] = "";
    if (folder == AT_FDCWD) {
      if (!getcwd(base, sizeof base)) return path;
    } else {
      snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
      ssize_t length = readlink(link, base, sizeof base - 1);
      if (length < 0) return path;
      base[length] = 0;
    }
    snprintf(parent, sizeof parent, "%s/%s", base, path);
  }
  size_t end = strlen(parent);
  while (end > 1 && parent[end - 1] == '/') parent[--end] = 0;
  char *slash = strrchr(parent, '/');
  const char *name = slash + 1;
  char last[1024];
  snprintf(last, sizeof last, "%s", name);
  *(slash == parent ? slash + 1 : slash) = 0;
  if (!realpath(parent, folderPath) || strlen(folderPath) + strlen(last) > 4000) return path;
  strcat(strcat(strcpy(into, strcmp(folderPath, "/") == 0 ? "" : folderPath), "/"), last);
  return into;
}

static const char *pathOf(int descriptor, char *into) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, into, 4095);
  if (length < 0) return NULL;
  into[length] = 0;
  return into;
}

static void onDescriptor(int operation, int descriptor, long long number, const void *bytes, size_t length) {
  char path[4096];
  int kept = errno;
  if (under() && pathOf(descriptor, path) && meant(path)) record(operation, path, NULL, number, bytes, length);
  errno = kept;
}

static void onPath(int operation, int folder, const char *path) {
  char whole[4096];
  int kept = errno;
  if (under() && meant(path = absolute(folder, path, whole))) record(operation, path, NULL, 0, NULL, 0);
  errno = kept;
}

static int opening(int folder, const char *path, int flags, mode_t mode) {
  REAL(int, "openat", int, const char *, int, ...);
  pthread_mutex_lock(&order);
  struct stat before;
  int fresh = (flags & O_CREAT) && fstatat(folder, path, &before, AT_SYMLINK_NOFOLLOW) != 0;
  int opened = real(folder, path, flags, mode);
  if (opened >= 0 && fresh) onDescriptor(CREATE, opened, 0, NULL, 0);
  if (opened >= 0 && !fresh && (flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY)
    onDescriptor(TRUNCATE, opened, 0, NULL, 0);
  pthread_mutex_unlock(&order);
  return opened;
}

static mode_t modeIn(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0; }

#define OPEN(name)                                             \
  int name(const char *path, int flags, ...) {                 \
    va_list rest;                                              \
    va_start(rest, flags);                                     \
    mode_t mode = modeIn(flags, rest);                         \
    va_end(rest);                                              \
    return opening(AT_FDCWD, path, flags, mode);               \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                           \
  int name(int folder, const char *path, int flags, ...) {     \
    va_list rest;                                              \
    va_start(rest, flags);                                     \
    mode_t mode = modeIn(flags, rest);                         \
    va_end(rest);                                              \
    return opening(folder, path, flags, mode);                 \
  }
OPENAT(openat)
OPENAT(openat64)

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off64_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  pthread_mutex_lock(&order);
  ssize_t done = real(descriptor, bytes, length, at);
  if (done > 0) onDescriptor(WRITE, descriptor, at, bytes, done);
  pthread_mutex_unlock(&order);
  return done;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t at) {
  return pwrite64(descriptor, bytes, length, at);
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  REAL(ssize_t, "write", int, const void *, size_t);
  if (!under()) return real(descriptor, bytes, length);
  pthread_mutex_lock(&order);
  ssize_t done = real(descriptor, bytes, length);
  if (done > 0) onDescriptor(WRITE, descriptor, lseek(descriptor, 0, SEEK_CUR) - done, bytes, done);
  pthread_mutex_unlock(&order);
  return done;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  onDescriptor(UNKNOWN, descriptor, 0, NULL, 0);
  return real(descriptor, parts, count);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t at) {
  REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off64_t);
  onDescriptor(UNKNOWN, descriptor, 0, NULL, 0);
  return real(descriptor, parts, count, at);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t at) {
  return pwritev64(descriptor, parts, count, at);
}

ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *where, size_t length, unsigned int flags) {
  REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned int);
  onDescriptor(UNKNOWN, to, 0, NULL, 0);
  return real(from, at, to, where, length, flags);
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t length) {
  REAL(ssize_t, "sendfile64", int, int, off64_t *, size_t);
  onDescriptor(UNKNOWN, to, 0, NULL, 0);
  return real(to, from, at, length);
}

ssize_t sendfile(int to, int from, off_t *at, size_t length) { return sendfile64(to, from, at, length); }

#define ON_DESCRIPTOR(name, operation)                         \
  int name(int descriptor) {                                   \
    REAL(int, #name, int);                                     \
    pthread_mutex_lock(&order);                                \
    int done = real(descriptor);                               \
    if (done == 0) onDescriptor(operation, descriptor, 0, NULL, 0); \
    pthread_mutex_unlock(&order);                              \
    return done;                                               \
  }
ON_DESCRIPTOR(fsync, SYNC)
ON_DESCRIPTOR(fdatasync, SYNC)

int ftruncate64(int descriptor, off64_t length) {
  REAL(int, "ftruncate64", int, off64_t);
  pthread_mutex_lock(&order);
  int done = real(descriptor, length);
  if (done == 0) onDescriptor(TRUNCATE, descriptor, length, NULL, 0);
  pthread_mutex_unlock(&order);
  return done;
}

int ftruncate(int descriptor, off_t length) { return ftruncate64(descriptor, length); }

static int renaming(int from, const char *path, int to, const char *other) {
  REAL(int, "renameat", int, const char *, int, const char *);
  char one[4096], two[4096];
  pthread_mutex_lock(&order);
  const char *whole = under() ? absolute(from, path, one) : path, *target = under() ? absolute(to, other, two) : other;
  int done = real(from, path, to, other);
  if (done == 0 && (meant(whole) || meant(target))) record(RENAME, whole, target, 0, NULL, 0);
  pthread_mutex_unlock(&order);
  return done;
}

int rename(const char *path, const char *other) { return renaming(AT_FDCWD, path, AT_FDCWD, other); }
int renameat(int from, const char *path, int to, const char *other) { return renaming(from, path, to, other); }

int unlinkat(int folder, const char *path, int flags) {
  REAL(int, "unlinkat", int, const char *, int);
  pthread_mutex_lock(&order);
  int done = real(folder, path, flags);
  if (done == 0) onPath(flags & AT_REMOVEDIR ? RMDIR : UNLINK, folder, path);
  pthread_mutex_unlock(&order);
  return done;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdir(const char *path, mode_t mode) {
  REAL(int, "mkdir", const char *, mode_t);
  pthread_mutex_lock(&order);
  int done = real(path, mode);
  if (done == 0) onPath(MKDIR, AT_FDCWD, path);
  pthread_mutex_unlock(&order);
  return done;
}

int link(const char *path, const char *other) {
  REAL(int, "link", const char *, const char *);
  int done = real(path, other);
  if (done == 0) onPath(UNKNOWN, AT_FDCWD, other);
  return done;
}

int symlink(const char *path, const char *other) {
  REAL(int, "symlink", const char *, const char *);
  int done = real(path, other);
  if (done == 0) onPath(UNKNOWN, AT_FDCWD, other);
  return done;
}

int access(const char *path, int mode) {
  REAL(int, "access", const char *, int);
  static const char place[] = "/keyrite-says/";
  if (under() && strncmp(path, place, sizeof place - 1) == 0) record(SAYS, path + sizeof place - 1, NULL, 0, NULL, 0);
  return real(path, mode);
}
