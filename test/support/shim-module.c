/* A PKCS#11 module that hands every call on to a real one, and breaks, lies or kills by rule. Only for tests.

   KEYRITE_SHIM_REAL   the module behind it
   KEYRITE_SHIM_RULES  rules, one a line; read again when they change
   KEYRITE_SHIM_LOG    a file: the names of all calls, one a line, no values
   KEYRITE_SHIM_FIRED  a file: a line `name nth action` for each rule that took effect, written before it does
   KEYRITE_SHIM_STATE  a folder: how often a PIN was wrong, kept when the process is gone

   A rule is `function:nth:action[:argument]`. The function is a name, `*` for all, or `acts` for those that change
   a token; `/token` or `/session` behind it means those alone whose template asks for an object that stays on
   the token, or passes with the session. nth counts the calls that match since the process began: `3`, `3+` for
   that and all behind it, `*`. Codes are hexadecimal numbers.

   before:CODE       the call is not made and returns the code
   after:CODE        the call is made and returns the code all the same: its reply is lost
   kill-before[:WHO] SIGKILL without making the call; WHO is `both` (a machine that stops; that is meant without
   kill-after[:WHO]  it), `own` (the module's process) or `parent` (Keyrite, while the module's goes on)
   crash-before      the module's process dies of a fault in its memory
   crash-after
   exit-before:N     the module ends its process as if that were its to do
   hang-before[:MS]  no answer for so long, and none ever without it; the call is made behind that
   hang-after[:MS]   the call is made, its answer late, or never
   gone[:CODE]       from here on every call returns the code, CKR_DEVICE_REMOVED without it
   renumber[:CODE]   all objects have other handles from here on: what was given out means another object. With a
                     code the call returns it
   attribute:TYPE[/CLASS]=HEX   C_GetAttributeValue gives these bytes, of objects of that CKO_* alone; `!` for HEX
                     turns the lowest bit of the first byte over, `-` says that there is no such attribute
   public-key[:HEX]  the point or modulus of public keys: these bytes, or one bit in its middle turned over
   output[:HEX]      what C_Sign, C_WrapKey, C_Encrypt, C_Decrypt or C_GenerateRandom gives: these bytes; `flip`,
                     which is meant without an argument, turns a bit of the last byte over, `short` leaves it out
   token:[LABEL>]SERIAL[/LABEL]  C_GetTokenInfo names another token, in place of all or of the one with that label
   flags:[LABEL>]WORD  C_GetTokenInfo says count-low, final-try or locked of the user PIN; so-… of the officer's
   pin-tries:N       both PINs lock after N wrong ones: C_Login returns CKR_PIN_LOCKED and asks nobody, and the flags
                     of C_GetTokenInfo say what is left. Meant for all functions: `*:*:pin-tries:3`
   keep-pins         the user's PIN at each login that succeeds, in KEYRITE_SHIM_STATE/SERIAL.pin: so that a test can
                     look at what a ceremony left behind. Meant for `*:*:keep-pins`
   twice             the call is made twice; the second answer is given
   print:TEXT        the module prints on both streams
   fork:MS           the module leaves a child behind that lives so long, with all its descriptors
   signals           the module catches what would end or tell its process
   mark:PATH         makes this file
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shim-functions.h"

struct list {
  unsigned char version[2];
  void *functions[COUNT];
};
static struct list ours, *theirs;

#include "shim-real.h"
#include "shim-rules.h"
#include "shim-lies.h"

static void slept(const char *milliseconds) {
  if (*milliseconds) usleep(1000 * (useconds_t)atol(milliseconds));
  else
    for (;;) pause();
}

static void killed(const char *who) {
  if (strcmp(who, "own") != 0) kill(getppid(), SIGKILL);
  if (strcmp(who, "parent") != 0) kill(getpid(), SIGKILL);
}

static void forked(const char *milliseconds) {
  if (fork() != 0) return;
  usleep(1000 * (useconds_t)atol(milliseconds));
  _exit(0);
}

static void caught(int signal) { (void)signal; }

static void signals(void) {
  const int all[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGCHLD, SIGUSR1, SIGALRM};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) signal(all[i], caught);
}

static void marked(const char *path) {
  int file = open(path, O_WRONLY | O_CREAT, 0600);
  if (file >= 0) close(file);
}

/* What a rule does before the call; CALLED when the call is to be made. */
static const ulong CALLED = UNAVAILABLE;
static ulong before(const struct rule *rule) {
  const char *action = rule->action, *argument = rule->argument;
  if (is(action, "before")) return code_of(argument, CKR_GENERAL_ERROR);
  if (is(action, "kill-before")) killed(argument);
  if (is(action, "crash-before")) raise(SIGSEGV);
  if (is(action, "exit-before")) exit(atoi(argument));
  if (is(action, "hang-before")) slept(argument);
  if (is(action, "gone")) return gone = code_of(argument, CKR_DEVICE_REMOVED);
  if (is(action, "renumber")) {
    shift++;
    if (*argument) return code_of(argument, CKR_GENERAL_ERROR);
  }
  if (is(action, "print")) {
    printf("%s\n", argument);
    fflush(stdout);
    fprintf(stderr, "%s\n", argument);
  }
  if (is(action, "fork")) forked(argument);
  if (is(action, "signals")) signals();
  if (is(action, "mark")) marked(argument);
  return CALLED;
}

static ulong after(const struct rule *rule, int at, ulong *a, const ulong *lengths, ulong code) {
  const char *action = rule->action, *argument = rule->argument;
  if (is(action, "after")) return code_of(argument, CKR_GENERAL_ERROR);
  if (is(action, "kill-after")) killed(argument);
  if (is(action, "crash-after")) raise(SIGSEGV);
  if (is(action, "hang-after")) slept(argument);
  if (at == AT_C_GetAttributeValue) return attributes(rule, a, lengths, code);
  if (is(action, "output") && code == 0) output(argument, at, a);
  if (is(action, "keep-pins") && at == AT_C_Login && code == 0 && a[1] != CKU_SO) keep_pin(a);
  if (at == AT_C_GetTokenInfo && code == 0) token_info(rule, (void *)a[1]);
  return code;
}

static ulong passed(int at, ulong *a) {
  struct rule *fired[MOST_RULES];
  int count = matching(at, a, fired);
  if (gone) return gone;
  for (int i = 0; i < count; i++) {
    ulong code = before(fired[i]);
    if (code != CALLED) return code;
  }
  ulong lengths[MOST_ATTRIBUTES];
  if (at == AT_C_GetAttributeValue) lengths_of(a, lengths);
  given_in(at, a);
  for (int i = 0; i < count; i++)
    if (is(fired[i]->action, "twice")) forwarded(at, a);
  const struct rule *tries = counting();
  ulong code = tries ? counted(tries, at, a) : forwarded(at, a);
  for (int i = 0; i < count; i++) code = after(fired[i], at, a, lengths, code);
  given_out(at, a, code);
  return code;
}

#define LISTED_1 a0
#define LISTED_2 LISTED_1, a1
#define LISTED_3 LISTED_2, a2
#define LISTED_4 LISTED_3, a3
#define LISTED_5 LISTED_4, a4
#define LISTED_6 LISTED_5, a5
#define LISTED_8 LISTED_6, a6, a7
#define FORWARD(name, arguments)                                  \
  static ulong our_##name(TAKEN_##arguments) {                    \
    ulong a[MOST_ARGUMENTS] = {LISTED_##arguments};               \
    return passed(AT_##name, a);                                  \
  }
FUNCTIONS(FORWARD)
#define OURS(name, arguments) (void *)our_##name,
static void *const OUR_FUNCTIONS[] = {FUNCTIONS(OURS)};

ulong C_GetFunctionList(struct list **result) {
  const char *path = getenv("KEYRITE_SHIM_REAL");
  void *module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
  ulong (*get)(struct list **) = NULL;
  if (module) get = (ulong(*)(struct list **))dlsym(module, "C_GetFunctionList");
  if (!get) return CKR_GENERAL_ERROR;
  ulong code = get(&theirs);
  if (code != 0) return code;
  puts("a module may print");
  fflush(stdout);
  fputs("and complain\n", stderr);
  memcpy(ours.version, theirs->version, sizeof ours.version);
  memcpy(ours.functions, OUR_FUNCTIONS, sizeof OUR_FUNCTIONS);
  ours.functions[AT_C_GetFunctionList] = C_GetFunctionList;
  *result = &ours;
  return 0;
}
