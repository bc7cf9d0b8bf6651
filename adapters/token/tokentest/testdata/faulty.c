// A PKCS#11 module (v2.40) that stands before another one and fails on demand.
//
// TOKENTEST_MODULE is the module behind it, TOKENTEST_FAULT a file with at most
// one rule, read at every call:
//
//	FUNCTION ACTION CODE TIMES MILLISECONDS
//
// FUNCTION is a name, or * for all that need the token. ACTION is
//
//	before  return CODE, and do nothing
//	after   do it, and return CODE all the same
//	lost    kill all sessions that are open now, and return CODE
//	slow    wait, then do it
//
// TIMES is how many calls are hit, 0 for all. Each hit adds a byte to the file
// TOKENTEST_FAULT.hits; it counts for all processes together. A question for the
// size of an answer is never hit.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long ulong_t; // CK_ULONG, and all handles
typedef ulong_t rv_t;

enum { OK = 0, GENERAL_ERROR = 0x05, SESSION_HANDLE_INVALID = 0xB3 };

// The order of the functions is that of CK_FUNCTION_LIST.
enum {
	GetFunctionList = 3, GetSlotList, GetSlotInfo, GetTokenInfo,
	OpenSession = 12, CloseSession, GetSessionInfo = 15, Login = 18,
	GetAttributeValue = 24, FindObjectsInit = 26, FindObjects, FindObjectsFinal,
	EncryptInit, Encrypt, DecryptInit = 33, Decrypt, SignInit = 42, Sign,
	GenerateKey = 58, GenerateKeyPair, functions = 68
};

typedef struct {
	unsigned char version[2];
	void *f[functions];
} list_t;

static list_t *real, ours;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ulong_t newest, dead; // session handles: the newest, and the newest dead one

typedef struct {
	char function[32], action[16];
	ulong_t code, times, wait;
} rule_t;

static int rule(rule_t *r) {
	const char *path = getenv("TOKENTEST_FAULT");
	FILE *f = path ? fopen(path, "r") : NULL;
	if (!f) return 0;
	int n = fscanf(f, "%31s %15s %lx %lu %lu", r->function, r->action, &r->code, &r->times, &r->wait);
	fclose(f);
	return n == 5;
}

// hit counts a call, unless there were enough.
static int hit(ulong_t times) {
	char path[4096];
	snprintf(path, sizeof path, "%s.hits", getenv("TOKENTEST_FAULT"));
	int fd = open(path, O_CREAT | O_APPEND | O_WRONLY, 0600);
	if (fd < 0) return 0;
	struct stat s;
	int ok = flock(fd, LOCK_EX) == 0 && fstat(fd, &s) == 0 && (times == 0 || (ulong_t)s.st_size < times) && write(fd, "x", 1) == 1;
	close(fd);
	return ok;
}

static int fault(const char *function, rule_t *r) {
	return rule(r) && (!strcmp(r->function, function) || !strcmp(r->function, "*")) && hit(r->times);
}

static void pause_for(ulong_t ms) {
	struct timespec t = {ms / 1000, (ms % 1000) * 1000000};
	nanosleep(&t, NULL);
}

// before is what happens ahead of the real call; *after is the code to return
// once it is done, if not OK.
static rv_t before(const char *function, ulong_t session, rv_t *after) {
	rule_t r;
	*after = OK;
	pthread_mutex_lock(&lock);
	int hits = fault(function, &r);
	if (hits && !strcmp(r.action, "lost")) dead = newest;
	int gone = session && session <= dead;
	pthread_mutex_unlock(&lock);
	if (gone && !hits) return SESSION_HANDLE_INVALID;
	if (!hits) return OK;
	if (!strcmp(r.action, "slow")) return pause_for(r.wait), OK;
	if (!strcmp(r.action, "after")) return *after = r.code, OK;
	return r.code;
}

#define CALL(index, types, ...) ((rv_t(*) types)real->f[index])(__VA_ARGS__)

// GUARD wraps a function; a question for a size has no place for the answer.
#define GUARD(name, session, size_only, parameters, types, ...)                 \
	static rv_t our##name parameters {                                      \
		rv_t after = OK, rv = (size_only) ? OK : before("C_" #name, session, &after); \
		if (rv == OK) rv = CALL(name, types, __VA_ARGS__);              \
		return after != OK ? after : rv;                                \
	}

typedef void *p;
typedef ulong_t u;

GUARD(GetSlotInfo, 0, 0, (u s, p i), (u, p), s, i)
GUARD(GetTokenInfo, 0, 0, (u s, p i), (u, p), s, i)
GUARD(CloseSession, 0, 0, (u h), (u), h)
GUARD(GetSessionInfo, h, 0, (u h, p i), (u, p), h, i)
GUARD(Login, h, 0, (u h, u who, p pin, u n), (u, u, p, u), h, who, pin, n)
GUARD(GetAttributeValue, h, 0, (u h, u o, p t, u n), (u, u, p, u), h, o, t, n)
GUARD(FindObjectsInit, h, 0, (u h, p t, u n), (u, p, u), h, t, n)
GUARD(FindObjects, h, 0, (u h, p o, u max, p n), (u, p, u, p), h, o, max, n)
GUARD(FindObjectsFinal, h, 0, (u h), (u), h)
GUARD(EncryptInit, h, 0, (u h, p m, u k), (u, p, u), h, m, k)
GUARD(Encrypt, h, !out, (u h, p in, u n, p out, p m), (u, p, u, p, p), h, in, n, out, m)
GUARD(DecryptInit, h, 0, (u h, p m, u k), (u, p, u), h, m, k)
GUARD(Decrypt, h, !out, (u h, p in, u n, p out, p m), (u, p, u, p, p), h, in, n, out, m)
GUARD(SignInit, h, 0, (u h, p m, u k), (u, p, u), h, m, k)
GUARD(Sign, h, !out, (u h, p in, u n, p out, p m), (u, p, u, p, p), h, in, n, out, m)
GUARD(GenerateKey, h, 0, (u h, p m, p t, u n, p k), (u, p, p, u, p), h, m, t, n, k)
GUARD(GenerateKeyPair, h, 0, (u h, p m, p a, u na, p b, u nb, p ka, p kb), (u, p, p, u, p, u, p, p), h, m, a, na, b, nb, ka, kb)

// A pulled token is not an error here: its slot is no longer among those with a
// token.
static rv_t ourGetSlotList(unsigned char present, p slots, ulong_t *n) {
	rv_t after, rv = before("C_GetSlotList", 0, &after);
	if (rv != OK) return *n = 0, OK;
	return CALL(GetSlotList, (unsigned char, p, ulong_t *), present, slots, n);
}

static rv_t ourOpenSession(u slot, u flags, p app, p notify, ulong_t *h) {
	rv_t after, rv = before("C_OpenSession", 0, &after);
	if (rv == OK) rv = CALL(OpenSession, (u, u, p, p, ulong_t *), slot, flags, app, notify, h);
	if (rv == OK) {
		pthread_mutex_lock(&lock);
		if (*h > newest) newest = *h;
		pthread_mutex_unlock(&lock);
	}
	return after != OK ? after : rv;
}

static rv_t load(void) {
	if (real) return OK;
	const char *path = getenv("TOKENTEST_MODULE");
	void *module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	rv_t (*get)(list_t **) = module ? (rv_t(*)(list_t **))dlsym(module, "C_GetFunctionList") : NULL;
	return get ? get(&real) : GENERAL_ERROR;
}

rv_t C_GetFunctionList(list_t **list) {
	pthread_mutex_lock(&lock);
	rv_t rv = load();
	if (rv == OK) {
		ours = *real;
		ours.f[GetFunctionList] = (void *)C_GetFunctionList;
#define OURS(name) ours.f[name] = (void *)our##name
		OURS(GetSlotList), OURS(GetSlotInfo), OURS(GetTokenInfo), OURS(OpenSession), OURS(CloseSession),
		OURS(GetSessionInfo), OURS(Login), OURS(GetAttributeValue), OURS(FindObjectsInit), OURS(FindObjects),
		OURS(FindObjectsFinal), OURS(EncryptInit), OURS(Encrypt), OURS(DecryptInit), OURS(Decrypt),
		OURS(SignInit), OURS(Sign), OURS(GenerateKey), OURS(GenerateKeyPair);
		*list = &ours;
	}
	pthread_mutex_unlock(&lock);
	return rv;
}
