/* Which rules a call meets. */

enum { MOST_RULES = 32, MOST_TEXT = 8192 };

struct rule {
  const char *function, *action, *argument;
  /* Which of the calls that match: from one to another, counted from 1. */
  ulong from, to, seen;
};

static struct rule rules[MOST_RULES];
static int rule_count;
static char rules_as_read[MOST_TEXT], words[MOST_TEXT];
/* What every call returns once the device is gone; new rules bring it back. */
static ulong gone;
static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;

static int is(const char *one, const char *other) { return strcmp(one, other) == 0; }

static ulong code_of(const char *text, ulong otherwise) { return *text ? strtoul(text, NULL, 16) : otherwise; }

/* Adds a line to the file that a variable names. */
static void noted(const char *variable, const char *line) {
  const char *path = getenv(variable);
  int file = path && *path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  if (file < 0) return;
  if (write(file, line, strlen(line)) < 0) abort();
  close(file);
}

static void broken(const char *line) {
  fprintf(stderr, "the shim cannot read this rule: %s\n", line);
  abort();
}

static void read_rule(char *line) {
  if (rule_count == MOST_RULES) broken("one too many");
  struct rule *rule = &rules[rule_count++];
  char *rest = line, *function = strsep(&rest, ":"), *nth = strsep(&rest, ":"), *action = strsep(&rest, ":");
  if (!nth || !action) broken(line);
  char *end = nth;
  ulong number = is(nth, "*") ? 1 : strtoul(nth, &end, 10);
  if (number == 0) broken(line);
  int open = is(nth, "*") || *end == '+';
  *rule = (struct rule){function, action, rest ? rest : "", number, open ? UNAVAILABLE : number, 0};
}

static void read_rules(void) {
  const char *text = getenv("KEYRITE_SHIM_RULES");
  if (!text) text = "";
  if (is(text, rules_as_read)) return;
  if (strlen(text) >= MOST_TEXT) broken("all together are too long");
  strcpy(rules_as_read, text);
  strcpy(words, text);
  rule_count = 0;
  gone = 0;
  char *rest = words, *line;
  while ((line = strsep(&rest, "\n")))
    if (*line) read_rule(line);
}

static int acts(int at) {
  switch (at) {
    case AT_C_InitToken: case AT_C_InitPIN: case AT_C_SetPIN: case AT_C_CreateObject: case AT_C_CopyObject:
    case AT_C_DestroyObject: case AT_C_SetAttributeValue: case AT_C_GenerateKey: case AT_C_GenerateKeyPair:
    case AT_C_UnwrapKey: case AT_C_DeriveKey:
      return 1;
    default: return 0;
  }
}

/* Where a function's template stands, and how long it is; -1 for one that takes none. */
static int template_at(int at) {
  switch (at) {
    case AT_C_CreateObject: return 1;
    case AT_C_GenerateKey: return 2;
    case AT_C_GenerateKeyPair: return 4;
    case AT_C_UnwrapKey: return 5;
    default: return -1;
  }
}

/* Whether a template asks for an object that stays on the token. */
static int stays(int at, const ulong *a) {
  int first = template_at(at);
  if (first < 0) return 0;
  const struct attribute *template = (void *)a[first];
  for (ulong i = 0; i < a[first + 1]; i++)
    if (template[i].type == CKA_TOKEN) return *template[i].value;
  return 0;
}

static int matches(const struct rule *rule, int at, const ulong *a) {
  const char *slash = strchr(rule->function, '/');
  size_t length = slash ? (size_t)(slash - rule->function) : strlen(rule->function);
  const char *name = length == 4 && strncmp(rule->function, "acts", 4) == 0 && acts(at) ? "acts" : NAMES[at];
  if (rule->function[0] != '*' && (strlen(name) != length || strncmp(rule->function, name, length) != 0)) return 0;
  if (!slash) return 1;
  return template_at(at) >= 0 && stays(at, a) == is(slash, "/token");
}

/* Counts the call, and says which rules take effect on it. */
static int matching(int at, const ulong *a, struct rule **fired) {
  int count = 0;
  char line[128];
  pthread_mutex_lock(&reading);
  read_rules();
  snprintf(line, sizeof line, "%s\n", NAMES[at]);
  noted("KEYRITE_SHIM_LOG", line);
  for (struct rule *rule = rules; rule < rules + rule_count; rule++) {
    if (!matches(rule, at, a)) continue;
    ulong seen = ++rule->seen;
    if (seen < rule->from || seen > rule->to) continue;
    snprintf(line, sizeof line, "%s %lu %s\n", NAMES[at], seen, rule->action);
    if (!is(rule->action, "pin-tries") && !is(rule->action, "keep-pins")) noted("KEYRITE_SHIM_FIRED", line);
    fired[count++] = rule;
  }
  pthread_mutex_unlock(&reading);
  return count;
}
