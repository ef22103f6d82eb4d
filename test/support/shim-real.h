/* Calls of the module behind the shim, with handles of objects as that module numbers them. */

#define TAKEN_1 ulong a0
#define TAKEN_2 TAKEN_1, ulong a1
#define TAKEN_3 TAKEN_2, ulong a2
#define TAKEN_4 TAKEN_3, ulong a3
#define TAKEN_5 TAKEN_4, ulong a4
#define TAKEN_6 TAKEN_5, ulong a5
#define TAKEN_8 TAKEN_6, ulong a6, ulong a7

static ulong forwarded(int at, const ulong *a) {
  void *f = theirs->functions[at];
  switch (ARITIES[at]) {
    case 1: return ((ulong(*)(TAKEN_1))f)(a[0]);
    case 2: return ((ulong(*)(TAKEN_2))f)(a[0], a[1]);
    case 3: return ((ulong(*)(TAKEN_3))f)(a[0], a[1], a[2]);
    case 4: return ((ulong(*)(TAKEN_4))f)(a[0], a[1], a[2], a[3]);
    case 5: return ((ulong(*)(TAKEN_5))f)(a[0], a[1], a[2], a[3], a[4]);
    case 6: return ((ulong(*)(TAKEN_6))f)(a[0], a[1], a[2], a[3], a[4], a[5]);
    default: return ((ulong(*)(TAKEN_8))f)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
  }
}

#define REAL(name, ...) forwarded(AT_##name, (const ulong[MOST_ARGUMENTS]){__VA_ARGS__})

/* How far the numbers that are given out are from the real ones: it grows when objects are renumbered. */
static ulong shift;

/* Which arguments are handles of objects: a bit each, going in and, as pointers, coming out. */
struct handles {
  unsigned char in, out;
};
static const struct handles HANDLES[COUNT] = {
    [AT_C_CreateObject] = {0, 1 << 3},
    [AT_C_CopyObject] = {1 << 1, 1 << 4},
    [AT_C_DestroyObject] = {1 << 1, 0},
    [AT_C_GetObjectSize] = {1 << 1, 0},
    [AT_C_GetAttributeValue] = {1 << 1, 0},
    [AT_C_SetAttributeValue] = {1 << 1, 0},
    [AT_C_EncryptInit] = {1 << 2, 0},
    [AT_C_DecryptInit] = {1 << 2, 0},
    [AT_C_DigestKey] = {1 << 1, 0},
    [AT_C_SignInit] = {1 << 2, 0},
    [AT_C_SignRecoverInit] = {1 << 2, 0},
    [AT_C_VerifyInit] = {1 << 2, 0},
    [AT_C_VerifyRecoverInit] = {1 << 2, 0},
    [AT_C_GenerateKey] = {0, 1 << 4},
    [AT_C_GenerateKeyPair] = {0, 1 << 6 | 1 << 7},
    [AT_C_WrapKey] = {1 << 2 | 1 << 3, 0},
    [AT_C_UnwrapKey] = {1 << 2, 1 << 7},
    [AT_C_DeriveKey] = {1 << 2, 1 << 5},
};

static void given_in(int at, ulong *a) {
  for (int i = 0; i < MOST_ARGUMENTS; i++)
    if (HANDLES[at].in >> i & 1) a[i] -= shift;
}

static void given_out(int at, const ulong *a, ulong code) {
  if (code != 0 || shift == 0) return;
  for (int i = 0; i < MOST_ARGUMENTS; i++)
    if (HANDLES[at].out >> i & 1) *(ulong *)a[i] += shift;
  if (at != AT_C_FindObjects) return;
  ulong *found = (ulong *)a[1], count = *(ulong *)a[3];
  for (ulong i = 0; i < count; i++) found[i] += shift;
}
