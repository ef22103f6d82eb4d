/* A PKCS#11 module that hands every call on to the real one, writes the names of some to a log, and can
   kill its process before or after C_GenerateKeyPair has done its work, before C_InitToken, or after the nth
   C_UnwrapKey onto a token. With its process it kills the one that started it: a machine that stops takes both.
   Only for tests.
   KEYRITE_SHIM_REAL the module behind it · KEYRITE_SHIM_LOG where calls are named · KEYRITE_SHIM_KILL
   before | after | init | unwrap | prove (an unwrapped key that does not stay) · KEYRITE_SHIM_ORPHAN yes: its own
   process goes on · KEYRITE_SHIM_CRASH the same, of its own process alone, by a fault in memory ·
   KEYRITE_SHIM_NTH which C_UnwrapKey · KEYRITE_SHIM_MARK a file that is made when a key is being generated or
   unwrapped · KEYRITE_SHIM_SLOW milliseconds that both take more. It prints what a chatty module prints. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long (*call)();

/* CK_FUNCTION_LIST of PKCS#11 2.40, section 4.6: a version, then 68 pointers in the order of the header. */
struct list {
  unsigned char version[2];
  call functions[68];
};
enum { INIT_TOKEN = 9, INIT_PIN = 10, LOGIN = 18, GENERATE_KEY_PAIR = 59, UNWRAP_KEY = 61, SIGN_INIT = 42 };

static struct list ours, *theirs;

static void note(const char *name) {
  const char *path = getenv("KEYRITE_SHIM_LOG");
  int log = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (log < 0) return;
  if (write(log, name, strlen(name)) < 0) abort();
  close(log);
}

static int is(const char *name, const char *value) {
  const char *set = getenv(name);
  return set && strcmp(set, value) == 0;
}

static void killed(const char *when) {
  if (is("KEYRITE_SHIM_CRASH", when)) raise(SIGSEGV);
  if (!is("KEYRITE_SHIM_KILL", when)) return;
  kill(getppid(), SIGKILL);
  if (!is("KEYRITE_SHIM_ORPHAN", "yes")) kill(getpid(), SIGKILL);
}

static void work(void) {
  const char *mark = getenv("KEYRITE_SHIM_MARK");
  if (mark) close(open(mark, O_WRONLY | O_CREAT, 0600));
  const char *slow = getenv("KEYRITE_SHIM_SLOW");
  if (slow) usleep(1000 * atoi(slow));
}

static unsigned long init_token(unsigned long slot, void *pin, unsigned long length, void *label) {
  note("C_InitToken\n");
  killed("init");
  return theirs->functions[INIT_TOKEN](slot, pin, length, label);
}

static unsigned long login(unsigned long session, unsigned long user, void *pin, unsigned long length) {
  note("C_Login\n");
  return theirs->functions[LOGIN](session, user, pin, length);
}

static unsigned long sign_init(unsigned long session, void *mechanism, unsigned long key) {
  note("C_SignInit\n");
  return theirs->functions[SIGN_INIT](session, mechanism, key);
}

static unsigned long generate(unsigned long session, void *mechanism, void *public, unsigned long n,
                              void *private, unsigned long m, void *made, void *kept) {
  note("C_GenerateKeyPair\n");
  work();
  killed("before");
  unsigned long code =
      theirs->functions[GENERATE_KEY_PAIR](session, mechanism, public, n, private, m, made, kept);
  killed("after");
  return code;
}

struct attribute {
  unsigned long type;
  void *value;
  unsigned long length;
};

/* Whether a template asks for an object that stays on the token: CKA_TOKEN is true. */
static int stays(struct attribute *template, unsigned long n) {
  for (unsigned long i = 0; i < n; i++)
    if (template[i].type == 1) return *(unsigned char *)template[i].value;
  return 0;
}

static unsigned long unwrap(unsigned long session, void *mechanism, unsigned long by, void *wrapped,
                            unsigned long length, void *template, unsigned long n, void *made) {
  static int staying, passing;
  work();
  unsigned long code =
      theirs->functions[UNWRAP_KEY](session, mechanism, by, wrapped, length, template, n, made);
  const char *nth = getenv("KEYRITE_SHIM_NTH");
  int stay = stays(template, n), count = stay ? ++staying : ++passing;
  if (nth && count == atoi(nth)) killed(stay ? "unwrap" : "prove");
  return code;
}

unsigned long C_GetFunctionList(struct list **result) {
  const char *path = getenv("KEYRITE_SHIM_REAL");
  void *module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
  unsigned long (*get)(struct list **) = module ? dlsym(module, "C_GetFunctionList") : NULL;
  if (!get) return 5; /* CKR_GENERAL_ERROR */
  unsigned long code = get(&theirs);
  if (code != 0) return code;
  puts("a module may print");
  fflush(stdout);
  fputs("and complain\n", stderr);
  ours = *theirs;
  ours.functions[INIT_TOKEN] = init_token;
  ours.functions[LOGIN] = login;
  ours.functions[SIGN_INIT] = sign_init;
  ours.functions[GENERATE_KEY_PAIR] = generate;
  ours.functions[UNWRAP_KEY] = unwrap;
  *result = &ours;
  return 0;
}
