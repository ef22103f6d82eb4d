/* What a module would answer that lies, was exchanged, or counts wrong PINs. */

enum { MOST_ATTRIBUTES = 64, MOST_BYTES = 2048 };

static ulong bytes_of(const char *hex, unsigned char *bytes) {
  ulong count = 0;
  for (unsigned int byte; count < MOST_BYTES && sscanf(hex, "%2x", &byte) == 1; hex += 2) bytes[count++] = byte;
  return count;
}

static void lengths_of(const ulong *a, ulong *lengths) {
  const struct attribute *template = (void *)a[2];
  for (ulong i = 0; i < a[3] && i < MOST_ATTRIBUTES; i++) lengths[i] = template[i].length;
}

static ulong class_of(const ulong *a) {
  ulong class = UNAVAILABLE;
  struct attribute asked = {CKA_CLASS, (unsigned char *)&class, sizeof class};
  REAL(C_GetAttributeValue, a[0], a[1], (ulong)&asked, 1);
  return class;
}

/* Gives other bytes for one attribute. `room` is what the caller has: the module may have found it too small. */
static void altered(struct attribute *one, ulong room, const char *how, ulong turned) {
  if (is(how, "-")) {
    one->length = UNAVAILABLE;
    return;
  }
  if (is(how, "!")) {
    if (one->value && one->length != UNAVAILABLE && one->length > turned) one->value[turned] ^= 1;
    return;
  }
  unsigned char bytes[MOST_BYTES];
  ulong length = bytes_of(how, bytes);
  if (one->value && room >= length) memcpy(one->value, bytes, length);
  one->length = one->value && room < length ? UNAVAILABLE : length;
}

static ulong attributes(const struct rule *rule, ulong *a, const ulong *lengths, ulong code) {
  int key = is(rule->action, "public-key");
  if ((!key && !is(rule->action, "attribute")) || (code != 0 && code != CKR_BUFFER_TOO_SMALL)) return code;
  char *end;
  ulong type = strtoul(rule->argument, &end, 16);
  ulong class = *end == '/' ? strtoul(end + 1, &end, 16) : UNAVAILABLE;
  const char *how = key ? (*rule->argument ? rule->argument : "!") : end + (*end == '=');
  if (key) class = CKO_PUBLIC_KEY;
  if (class != UNAVAILABLE && class_of(a) != class) return code;
  struct attribute *template = (void *)a[2];
  int missing = 0;
  for (ulong i = 0; i < a[3] && i < MOST_ATTRIBUTES; i++) {
    struct attribute *one = &template[i];
    int meant = key ? one->type == CKA_EC_POINT || one->type == CKA_MODULUS : one->type == type;
    if (meant) altered(one, lengths[i], how, key ? one->length / 2 : 0);
    missing |= one->length == UNAVAILABLE;
    if (meant && is(how, "-")) return 0x12; /* CKR_ATTRIBUTE_TYPE_INVALID */
  }
  return missing ? code : 0;
}

static void output(const char *how, int at, ulong *a) {
  int first = at == AT_C_GenerateRandom ? 1 : at == AT_C_WrapKey ? 4 : 3;
  int random = at == AT_C_GenerateRandom;
  unsigned char *given = (void *)a[first];
  ulong *length = random ? &a[2] : (ulong *)a[first + 1];
  if (!given || *length == 0) return;
  if (!*how || is(how, "flip")) given[*length - 1] ^= 1;
  else if (is(how, "short")) --*length;
  else {
    unsigned char bytes[MOST_BYTES];
    ulong other = bytes_of(how, bytes);
    if (other > *length) other = *length;
    memcpy(given, bytes, other);
    *length = other;
  }
}

static void padded(char *field, size_t size, const char *text, size_t length) {
  memset(field, ' ', size);
  memcpy(field, text, length < size ? length : size);
}

static int has_label(const struct token_info *info, const char *label, size_t length) {
  for (size_t i = length; i < sizeof info->label; i++)
    if (info->label[i] != ' ' && info->label[i] != 0) return 0;
  return length <= sizeof info->label && strncmp(info->label, label, length) == 0;
}

/* CKF_USER_PIN_COUNT_LOW and the two behind it; those of the security officer are four bits further. */
static ulong flag_of(const char *word) {
  int officer = strncmp(word, "so-", 3) == 0;
  const char *name = officer ? word + 3 : word;
  ulong flag = is(name, "count-low") ? 0x10000 : is(name, "final-try") ? 0x20000 : 0x40000;
  return officer ? flag << 4 : flag;
}

static void token_info(const struct rule *rule, struct token_info *info) {
  int token = is(rule->action, "token"), flags = is(rule->action, "flags");
  if (!token && !flags) return;
  const char *argument = rule->argument, *only = strchr(argument, '>');
  if (only && !has_label(info, argument, (size_t)(only - argument))) return;
  if (only) argument = only + 1;
  if (flags) info->flags |= flag_of(argument);
  if (!token) return;
  size_t serial = strcspn(argument, "/");
  padded(info->serial, sizeof info->serial, argument, serial);
  if (argument[serial]) padded(info->label, sizeof info->label, argument + serial + 1, strlen(argument + serial + 1));
}

/* Wrong PINs are counted in a file by serial and kind of user. */

static const struct rule *counting(void) {
  for (const struct rule *rule = rules; rule < rules + rule_count; rule++)
    if (is(rule->action, "pin-tries")) return rule;
  return NULL;
}

static int kept(const struct token_info *info, const char *name, int mode) {
  const char *folder = getenv("KEYRITE_SHIM_STATE");
  char path[1024];
  if (!folder) broken("this needs KEYRITE_SHIM_STATE");
  snprintf(path, sizeof path, "%s/%.16s.%s", folder, info->serial, name);
  for (char *blank = path; (blank = strchr(blank, ' '));) *blank = '_';
  return open(path, mode | O_CREAT | O_CLOEXEC, 0600);
}

static int counter(const struct token_info *info, int officer, int mode) {
  return kept(info, officer ? "so" : "user", mode);
}

static int info_of(ulong session, struct token_info *info) {
  struct session_info opened;
  return REAL(C_GetSessionInfo, session, (ulong)&opened) == 0 && REAL(C_GetTokenInfo, opened.slot, (ulong)info) == 0;
}

static void keep_pin(const ulong *a) {
  struct token_info info;
  if (!info_of(a[0], &info)) return;
  int file = kept(&info, "pin", O_WRONLY | O_TRUNC);
  if (write(file, (const void *)a[2], a[3]) < 0) abort();
  close(file);
}

static int wrong_so_far(const struct token_info *info, int officer) {
  char digit = '0';
  int file = counter(info, officer, O_RDONLY);
  if (read(file, &digit, 1) < 0) abort();
  close(file);
  return digit - '0';
}

static void remember(const struct token_info *info, int officer, int wrong) {
  char digit = (char)('0' + wrong);
  int file = counter(info, officer, O_WRONLY | O_TRUNC);
  if (write(file, &digit, 1) < 0) abort();
  close(file);
}

static ulong flags_of(int wrong, int tries) {
  if (wrong == 0) return 0;
  return 0x10000 | (wrong == tries - 1 ? 0x20000 : 0) | (wrong >= tries ? 0x40000 : 0);
}

/* The call, made as a token would that counts the PINs it refuses. */
static ulong counted(const struct rule *rule, int at, ulong *a) {
  int tries = atoi(rule->argument);
  struct token_info info;
  if (at == AT_C_GetTokenInfo) {
    ulong code = forwarded(at, a);
    struct token_info *told = (void *)a[1];
    if (code == 0)
      told->flags |= flags_of(wrong_so_far(told, 0), tries) | flags_of(wrong_so_far(told, 1), tries) << 4;
    return code;
  }
  if (at != AT_C_Login && at != AT_C_InitPIN && at != AT_C_SetPIN && at != AT_C_InitToken) return forwarded(at, a);
  struct session_info session = {.slot = a[0]};
  if (at != AT_C_InitToken) REAL(C_GetSessionInfo, a[0], (ulong)&session);
  if (REAL(C_GetTokenInfo, session.slot, (ulong)&info) != 0) return forwarded(at, a);
  int officer = at == AT_C_Login ? a[1] == CKU_SO : at == AT_C_InitToken || session.state == CKS_RW_SO_FUNCTIONS;
  if (at == AT_C_InitPIN) {
    ulong code = forwarded(at, a);
    if (code == 0) remember(&info, 0, 0);
    return code;
  }
  int wrong = wrong_so_far(&info, officer);
  if (wrong >= tries) {
    noted("KEYRITE_SHIM_FIRED", "C_Login 0 pin-tries\n");
    return CKR_PIN_LOCKED;
  }
  ulong code = forwarded(at, a);
  if (code == CKR_PIN_INCORRECT) remember(&info, officer, wrong + 1);
  if (code == 0) remember(&info, officer, 0);
  return code;
}
