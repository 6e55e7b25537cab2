/* A layer between a process and the C library that makes one operation on files fail, or ends the process there.

   Built as a shared library and named by LD_PRELOAD; it does nothing until `arm` is called, which names the folders
   that count. Every call below that opens, reads, writes, syncs, renames or removes a file of these folders is an
   operation with a number, from 1 on, and is written into a log as "kind path". The operation whose number is `at`
   fails with an error, writes half of its bytes, or is where the process ends. Python, numpy, Arrow, Pillow and what is
   written in Rust call the C library by name, so they all pass here. What a descriptor points to is asked of
   /proc/self/fd, so that copies of descriptors and files that are renamed while they are open need no care. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PASS, FAIL, HALF, BEFORE, AFTER, TORN, POWER };

#define ROOTS 8
#define DIRTY 1024
static char roots[ROOTS][PATH_MAX];
static int count_of_roots, how, error_number, lasting, next_fails, log_file = -1;
static volatile int armed;
static long at;
static volatile long done;
static char dirty[DIRTY][PATH_MAX];
static volatile int count_of_dirty;

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int below(const char *path) {
    for (int i = 0; i < count_of_roots; i++) {
        size_t n = strlen(roots[i]);
        if (!strncmp(path, roots[i], n) && (path[n] == '/' || !path[n])) return 1;
    }
    return 0;
}

static int of_descriptor(int fd, char *path) {
    char link[64];
    if (fd < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long n = syscall(SYS_readlink, link, path, PATH_MAX - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return path[0] == '/';
}

static int absolute(int folder, const char *given, char *path) {
    if (!given) return 0;
    char start[PATH_MAX];
    if (given[0] == '/') start[0] = 0;
    else if (folder == AT_FDCWD) { if (syscall(SYS_getcwd, start, PATH_MAX) < 0) return 0; }
    else if (!of_descriptor(folder, start)) return 0;
    return snprintf(path, PATH_MAX, start[0] ? "%s/%s" : "%s%s", start, given) < PATH_MAX;
}

static void soil(const char *path) {
    for (int i = 0; i < count_of_dirty; i++) if (!strcmp(dirty[i], path)) return;
    if (count_of_dirty < DIRTY) strcpy(dirty[count_of_dirty++], path);
}

static void clean(const char *path) {
    for (int i = 0; i < count_of_dirty; i++) if (!strcmp(dirty[i], path)) dirty[i][0] = 0;
}

static void move_dirty(const char *from, const char *to) {
    clean(to);
    for (int i = 0; i < count_of_dirty; i++) if (!strcmp(dirty[i], from)) strcpy(dirty[i], to);
}

/* What was written and never synced is gone when the power is: such files are empty, as journalling file systems have
   them after a crash. */
static void lose(void) {
    for (int i = 0; i < count_of_dirty; i++) if (dirty[i][0]) syscall(SYS_truncate, dirty[i], 0L);
}

static void end(void) {
    if (how == POWER) lose();
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) pause();
}

static void note(const char *kind, const char *path) {
    char line[PATH_MAX + 64];
    int n = snprintf(line, sizeof line, "%s %s\n", kind, path);
    if (log_file >= 0 && n > 0) syscall(SYS_write, log_file, line, (size_t)n);
}

/* Counts an operation: what is to be done at it. The caller ends the process where it is to end after the call. */
static int gate(const char *kind, const char *path) {
    if (!armed || !below(path)) return PASS;
    long number = __sync_add_and_fetch(&done, 1);
    note(kind, path);
    int writes = !strcmp(kind, "write");
    if (writes && next_fails) { next_fails = 0; return FAIL; } /* the rest of what was written by half */
    int grows = writes || !strcmp(kind, "create") || !strcmp(kind, "mkdir") || !strcmp(kind, "link");
    if (lasting && at > 0 && number > at && grows) return FAIL; /* the disk stays full */
    if (number != at) return PASS;
    if (how == BEFORE || how == POWER) end();
    return how;
}

static int gate_descriptor(const char *kind, int fd) {
    char path[PATH_MAX];
    if (!armed || !of_descriptor(fd, path)) return PASS;
    return gate(kind, path);
}

static int gate_path(const char *kind, int folder, const char *given) {
    char path[PATH_MAX];
    if (!armed || !absolute(folder, given, path)) return PASS;
    return gate(kind, path);
}

#define REFUSED(turn, value) if (turn == FAIL || turn == HALF) { errno = error_number; return value; }
#define LEAVE(turn) if (turn == AFTER || turn == TORN) end()

void arm(const char *folders, long number, int way, int error, int on, const char *log) {
    count_of_roots = 0;
    for (const char *p = folders; *p && count_of_roots < ROOTS;) {
        size_t n = strcspn(p, "\n");
        memcpy(roots[count_of_roots], p, n);
        roots[count_of_roots++][n] = 0;
        p += n + (p[n] == '\n');
    }
    at = number; how = way; error_number = error; lasting = on; done = 0; count_of_dirty = 0; next_fails = 0;
    log_file = log && *log ? (int)syscall(SYS_openat, AT_FDCWD, log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644) : -1;
    armed = 1;
}

long disarm(void) { armed = 0; return done; }

/* opening */

static const char *kind_of(int flags) {
    if (flags & O_DIRECTORY) return "list";
    return flags & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR) ? "create" : "open";
}

#define OPEN(name, folder, ...) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
    REAL(name); \
    int turn = gate_path(kind_of(flags), folder, path); \
    REFUSED(turn, -1) \
    int fd = real(__VA_ARGS__, flags, mode); \
    LEAVE(turn); \
    return fd

int open(const char *path, int flags, ...) { OPEN(open, AT_FDCWD, path); }
int open64(const char *path, int flags, ...) { OPEN(open64, AT_FDCWD, path); }
int openat(int folder, const char *path, int flags, ...) { OPEN(openat, folder, folder, path); }
int openat64(int folder, const char *path, int flags, ...) { OPEN(openat64, folder, folder, path); }
int creat(const char *path, mode_t mode) { return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open64(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

#define STREAM(name) \
    REAL(name); \
    int turn = gate_path(strpbrk(mode, "wa+") ? "create" : "open", AT_FDCWD, path); \
    REFUSED(turn, NULL) \
    FILE *file = real(path, mode); \
    LEAVE(turn); \
    return file

FILE *fopen(const char *path, const char *mode) { STREAM(fopen); }
FILE *fopen64(const char *path, const char *mode) { STREAM(fopen64); }

DIR *opendir(const char *path) {
    REAL(opendir);
    int turn = gate_path("list", AT_FDCWD, path);
    REFUSED(turn, NULL)
    DIR *found = real(path);
    LEAVE(turn);
    return found;
}

DIR *fdopendir(int fd) {
    REAL(fdopendir);
    int turn = gate_descriptor("list", fd);
    REFUSED(turn, NULL)
    DIR *found = real(fd);
    LEAVE(turn);
    return found;
}

/* writing */

static void soil_descriptor(int fd) {
    char path[PATH_MAX];
    if (armed && of_descriptor(fd, path) && below(path)) soil(path);
}

#define WRITE(name, part, whole, half) \
    REAL(name); \
    int turn = gate_descriptor("write", fd); \
    if (turn == FAIL) { errno = error_number; return -1; } \
    soil_descriptor(fd); \
    if (turn == HALF || turn == TORN) { \
        ssize_t wrote = part > 1 ? real half : -1; \
        LEAVE(turn); \
        next_fails = 1; \
        if (wrote < 0) errno = error_number; \
        return wrote; \
    } \
    ssize_t wrote = real whole; \
    LEAVE(turn); \
    return wrote

ssize_t write(int fd, const void *data, size_t size) { WRITE(write, size, (fd, data, size), (fd, data, size / 2)); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t place) {
    WRITE(pwrite, size, (fd, data, size, place), (fd, data, size / 2, place));
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place) {
    WRITE(pwrite64, size, (fd, data, size, place), (fd, data, size / 2, place));
}
ssize_t writev(int fd, const struct iovec *parts, int number) {
    WRITE(writev, number, (fd, parts, number), (fd, parts, number / 2));
}
ssize_t sendfile(int fd, int from, off_t *place, size_t size) {
    WRITE(sendfile, size, (fd, from, place, size), (fd, from, place, size / 2));
}
ssize_t sendfile64(int fd, int from, off64_t *place, size_t size) {
    WRITE(sendfile64, size, (fd, from, place, size), (fd, from, place, size / 2));
}
ssize_t copy_file_range(int from, off64_t *a, int fd, off64_t *b, size_t size, unsigned flags) {
    WRITE(copy_file_range, size, (from, a, fd, b, size, flags), (from, a, fd, b, size / 2, flags));
}

size_t fwrite(const void *data, size_t each, size_t number, FILE *file) {
    REAL(fwrite);
    int turn = armed ? gate_descriptor("write", fileno(file)) : PASS;
    if (turn == FAIL) { errno = error_number; return 0; }
    if (armed) soil_descriptor(fileno(file));
    if (turn == HALF || turn == TORN) {
        size_t wrote = real(data, each, number / 2, file);
        fflush(file);
        LEAVE(turn);
        errno = error_number;
        return wrote;
    }
    size_t wrote = real(data, each, number, file);
    LEAVE(turn);
    return wrote;
}

#define PLAIN(name, kind, gated, given) \
    REAL(name); \
    int turn = gated; \
    REFUSED(turn, -1) \
    int found = real given; \
    LEAVE(turn); \
    return found

static void cleaned(int fd) {
    char path[PATH_MAX];
    if (armed && of_descriptor(fd, path)) clean(path);
}

#define SYNC(name) \
    REAL(name); \
    int turn = gate_descriptor("sync", fd); \
    REFUSED(turn, -1) \
    int found = armed ? 0 : real(fd); /* a trial need not wait for the disk */ \
    cleaned(fd); \
    LEAVE(turn); \
    return found

int fsync(int fd) { SYNC(fsync); }
int fdatasync(int fd) { SYNC(fdatasync); }
int ftruncate(int fd, off_t size) { PLAIN(ftruncate, "truncate", gate_descriptor("truncate", fd), (fd, size)); }
int ftruncate64(int fd, off64_t size) { PLAIN(ftruncate64, "truncate", gate_descriptor("truncate", fd), (fd, size)); }
int truncate(const char *path, off_t size) {
    PLAIN(truncate, "truncate", gate_path("truncate", AT_FDCWD, path), (path, size));
}
int flock(int fd, int operation) { PLAIN(flock, "lock", gate_descriptor("lock", fd), (fd, operation)); }

int posix_fallocate(int fd, off_t start, off_t size) {
    REAL(posix_fallocate);
    int turn = gate_descriptor("write", fd);
    if (turn == FAIL || turn == HALF) return error_number;
    int found = real(fd, start, size);
    LEAVE(turn);
    return found;
}
int posix_fallocate64(int fd, off64_t start, off64_t size) {
    REAL(posix_fallocate64);
    int turn = gate_descriptor("write", fd);
    if (turn == FAIL || turn == HALF) return error_number;
    int found = real(fd, start, size);
    LEAVE(turn);
    return found;
}

/* names */

static void renamed(int a, const char *from, int b, const char *to) {
    char old[PATH_MAX], new[PATH_MAX];
    if (armed && absolute(a, from, old) && absolute(b, to, new)) move_dirty(old, new);
}

#define RENAME(name, a, b, ...) \
    REAL(name); \
    int turn = gate_path("rename", b, to); \
    REFUSED(turn, -1) \
    int found = real(__VA_ARGS__); \
    if (!found) renamed(a, from, b, to); \
    LEAVE(turn); \
    return found

int rename(const char *from, const char *to) { RENAME(rename, AT_FDCWD, AT_FDCWD, from, to); }
int renameat(int a, const char *from, int b, const char *to) { RENAME(renameat, a, b, a, from, b, to); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    RENAME(renameat2, a, b, a, from, b, to, flags);
}
int link(const char *from, const char *to) { PLAIN(link, "link", gate_path("link", AT_FDCWD, to), (from, to)); }
int symlink(const char *from, const char *to) { PLAIN(symlink, "link", gate_path("link", AT_FDCWD, to), (from, to)); }
int unlink(const char *path) { PLAIN(unlink, "unlink", gate_path("unlink", AT_FDCWD, path), (path)); }
int unlinkat(int folder, const char *path, int flags) {
    PLAIN(unlinkat, "unlink", gate_path("unlink", folder, path), (folder, path, flags));
}
int rmdir(const char *path) { PLAIN(rmdir, "unlink", gate_path("unlink", AT_FDCWD, path), (path)); }
int mkdir(const char *path, mode_t mode) { PLAIN(mkdir, "mkdir", gate_path("mkdir", AT_FDCWD, path), (path, mode)); }
int mkdirat(int folder, const char *path, mode_t mode) {
    PLAIN(mkdirat, "mkdir", gate_path("mkdir", folder, path), (folder, path, mode));
}

/* reading */

#define READ(name, ...) \
    REAL(name); \
    int turn = gate_descriptor("read", fd); \
    REFUSED(turn, -1) \
    ssize_t found = real(__VA_ARGS__); \
    LEAVE(turn); \
    return found

ssize_t read(int fd, void *data, size_t size) { READ(read, fd, data, size); }
ssize_t pread(int fd, void *data, size_t size, off_t place) { READ(pread, fd, data, size, place); }
ssize_t pread64(int fd, void *data, size_t size, off64_t place) { READ(pread64, fd, data, size, place); }
ssize_t readv(int fd, const struct iovec *parts, int number) { READ(readv, fd, parts, number); }

size_t fread(void *data, size_t each, size_t number, FILE *file) {
    REAL(fread);
    int turn = armed ? gate_descriptor("read", fileno(file)) : PASS;
    REFUSED(turn, 0)
    size_t found = real(data, each, number, file);
    LEAVE(turn);
    return found;
}

#define MAP(name) \
    REAL(name); \
    int turn = fd >= 0 ? gate_descriptor("map", fd) : PASS; \
    REFUSED(turn, MAP_FAILED) \
    void *found = real(where, size, protection, flags, fd, place); \
    LEAVE(turn); \
    return found

void *mmap(void *where, size_t size, int protection, int flags, int fd, off_t place) { MAP(mmap); }
void *mmap64(void *where, size_t size, int protection, int flags, int fd, off64_t place) { MAP(mmap64); }
