/* The functions of CK_FUNCTION_LIST in their order, PKCS#11 2.40 section 4.6, with the number of their arguments.
   Each argument is as wide as a pointer: an unsigned long, a pointer, or a CK_BBOOL in a register of that width.
   Declared here and not taken from a header of the system's, so that a compiler is all that the tests need. */
#define FUNCTIONS(F)                                                                                      \
  F(C_Initialize, 1) F(C_Finalize, 1) F(C_GetInfo, 1) F(C_GetFunctionList, 1) F(C_GetSlotList, 3)         \
  F(C_GetSlotInfo, 2) F(C_GetTokenInfo, 2) F(C_GetMechanismList, 3) F(C_GetMechanismInfo, 3)              \
  F(C_InitToken, 4) F(C_InitPIN, 3) F(C_SetPIN, 5) F(C_OpenSession, 5) F(C_CloseSession, 1)               \
  F(C_CloseAllSessions, 1) F(C_GetSessionInfo, 2) F(C_GetOperationState, 3) F(C_SetOperationState, 5)     \
  F(C_Login, 4) F(C_Logout, 1) F(C_CreateObject, 4) F(C_CopyObject, 5) F(C_DestroyObject, 2)              \
  F(C_GetObjectSize, 3) F(C_GetAttributeValue, 4) F(C_SetAttributeValue, 4) F(C_FindObjectsInit, 3)       \
  F(C_FindObjects, 4) F(C_FindObjectsFinal, 1) F(C_EncryptInit, 3) F(C_Encrypt, 5) F(C_EncryptUpdate, 5)  \
  F(C_EncryptFinal, 3) F(C_DecryptInit, 3) F(C_Decrypt, 5) F(C_DecryptUpdate, 5) F(C_DecryptFinal, 3)     \
  F(C_DigestInit, 2) F(C_Digest, 5) F(C_DigestUpdate, 3) F(C_DigestKey, 2) F(C_DigestFinal, 3)            \
  F(C_SignInit, 3) F(C_Sign, 5) F(C_SignUpdate, 3) F(C_SignFinal, 3) F(C_SignRecoverInit, 3)              \
  F(C_SignRecover, 5) F(C_VerifyInit, 3) F(C_Verify, 5) F(C_VerifyUpdate, 3) F(C_VerifyFinal, 3)          \
  F(C_VerifyRecoverInit, 3) F(C_VerifyRecover, 5) F(C_DigestEncryptUpdate, 5) F(C_DecryptDigestUpdate, 5) \
  F(C_SignEncryptUpdate, 5) F(C_DecryptVerifyUpdate, 5) F(C_GenerateKey, 5) F(C_GenerateKeyPair, 8)       \
  F(C_WrapKey, 6) F(C_UnwrapKey, 8) F(C_DeriveKey, 6) F(C_SeedRandom, 3) F(C_GenerateRandom, 3)           \
  F(C_GetFunctionStatus, 1) F(C_CancelFunction, 1) F(C_WaitForSlotEvent, 3)

typedef unsigned long ulong;
enum { MOST_ARGUMENTS = 8 };

/* AT_C_Sign: the place of C_Sign in the list. */
#define PLACE(name, arguments) AT_##name,
enum place { FUNCTIONS(PLACE) COUNT };

#define NAME(name, arguments) #name,
static const char *const NAMES[] = {FUNCTIONS(NAME)};
#define ARITY(name, arguments) arguments,
static const int ARITIES[] = {FUNCTIONS(ARITY)};

struct attribute {
  ulong type;
  unsigned char *value;
  ulong length;
};

/* CK_TOKEN_INFO as far as we touch it; text is padded with blanks. */
struct token_info {
  char label[32], manufacturer[32], model[16], serial[16];
  ulong flags;
  char rest[256];
};

/* CK_SESSION_INFO. */
struct session_info {
  ulong slot, state, flags, device_error;
};

enum { CKU_SO = 0, CKS_RW_SO_FUNCTIONS = 4, CKO_PUBLIC_KEY = 2 };
enum { CKA_CLASS = 0x0, CKA_TOKEN = 0x1, CKA_MODULUS = 0x120, CKA_EC_POINT = 0x181 };
enum { CKR_GENERAL_ERROR = 0x5, CKR_DEVICE_REMOVED = 0x32, CKR_PIN_INCORRECT = 0xa0, CKR_PIN_LOCKED = 0xa4 };
enum { CKR_BUFFER_TOO_SMALL = 0x150 };
#define UNAVAILABLE ((ulong)-1)
