/* A plugin of QEMU (TCG plugin API 1, or 2 from QEMU 9 on). For every call of a probe it counts the instructions until control is
 * back in `drive`, and watches how far below the caller's stack they write. It reports the most of each: probe, label,
 * instructions, stack, number of calls.
 *
 * A probe is a function whose name begins with probe_, called by `drive`; a label is a function label_NAME that `drive`
 * calls, and stands in front of the calls that follow. Debian has no package with qemu-plugin.h, so what is used of it is
 * declared here.
 *
 * Build: gcc -O2 -fPIC -shared -DAPI=1 -o libmeasure.so measure.c
 * Use:   qemu-system-arm ... -plugin ./libmeasure.so,out=FILE,lo=0x20000010,hi=0x20004000
 *        lo and hi are the ends of the memory that the stack may take
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CB_NO_REGS = 0 };
enum { MEM_W = 2 };
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *), int, void *);
extern void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, void (*)(unsigned, qemu_plugin_meminfo_t, uint64_t, void *), int, int, void *);
extern bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);

__attribute__((visibility("default"))) int qemu_plugin_version = API;

/* Instructions that follow each other, as translated: what they belong to, and how many they are. */
enum kind { OTHER, DRIVE, PROBE, LABEL };
struct place {
    enum kind kind;
    char name[64];
    uint64_t count;
};

static FILE *out;
static uint64_t lo, hi;
static char label[64] = "-";
/* The probe that is running, if one is. */
static const struct place *running;
static uint64_t instructions, top, lowest;
/* The most that was seen, for every probe under every label. */
static struct most {
    char probe[64], label[64];
    uint64_t instructions, stack, calls;
} mosts[64];
/* Which instruction stored first, so that the words of one push count as one store. */
static const void *first_store;

/* The identifier in a mangled name that begins like this, where the length of each stands before it. */
static bool named(const char *symbol, const char *prefix, char *name) {
    for (const char *at = symbol; at && (at = strstr(at, prefix)); at++) {
        const char *digits = at;
        /* The newer mangling parts the length from some names with an underscore. */
        if (digits > symbol && digits[-1] == '_') digits--;
        const char *end = digits;
        while (digits > symbol && isdigit((unsigned char)digits[-1])) digits--;
        int length = digits == end ? 0 : atoi(digits);
        if (length < (int)strlen(prefix) || length > 63) continue;
        memcpy(name, at, length);
        name[length] = 0;
        return true;
    }
    return false;
}

static void stop(void) {
    if (!running) return;
    struct most *most = mosts;
    while (most->calls && (strcmp(most->probe, running->name) || strcmp(most->label, label)))
        if (++most == mosts + sizeof mosts / sizeof *mosts) abort();
    strcpy(most->probe, running->name);
    strcpy(most->label, label);
    uint64_t stack = top > lowest ? top - lowest : 0;
    if (instructions > most->instructions) most->instructions = instructions;
    if (stack > most->stack) most->stack = stack;
    most->calls++;
    running = NULL;
}

static void execute(unsigned cpu, void *data) {
    const struct place *place = data;
    (void)cpu;
    if (place->kind == DRIVE) {
        stop();
    } else if (!running && place->kind == PROBE) {
        running = place;
        instructions = top = 0;
        first_store = NULL;
        lowest = UINT64_MAX;
    } else if (!running && place->kind == LABEL) {
        strcpy(label, place->name + strlen("label_"));
    }
    if (running) instructions += place->count;
}

static void store(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
    (void)cpu;
    if (!running || !qemu_plugin_mem_is_store(info) || address < lo || address >= hi) return;
    /* What a probe stores first is where to return to, at the top of its stack. */
    if (!first_store) first_store = data;
    if (first_store == data && address + 4 > top) top = address + 4;
    if (address < lowest) lowest = address;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    size_t count = qemu_plugin_tb_n_insns(tb), alike = 0;
    struct place *places = calloc(count, sizeof *places);
    if (!places) abort();
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
        const char *symbol = qemu_plugin_insn_symbol(instruction);
        if (named(symbol, "probe_", places[i].name)) places[i].kind = PROBE;
        else if (named(symbol, "label_", places[i].name)) places[i].kind = LABEL;
        else if (named(symbol, "drive", places[i].name)) places[i].kind = DRIVE;
        places[i].count = 1;
        alike += places[i].kind == places[0].kind && !strcmp(places[i].name, places[0].name);
        qemu_plugin_register_vcpu_mem_cb(instruction, store, CB_NO_REGS, MEM_W, &places[i]);
    }
    /* Once for all of them where they belong to one function, as nearly always; else for each. */
    if (alike == count) {
        places[0].count = count;
        qemu_plugin_register_vcpu_tb_exec_cb(tb, execute, CB_NO_REGS, &places[0]);
    } else {
        for (size_t i = 0; i < count; i++)
            qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, i), execute, CB_NO_REGS, &places[i]);
    }
}

static void done(qemu_plugin_id_t id, void *data) {
    (void)id;
    (void)data;
    stop();
    for (const struct most *most = mosts; most < mosts + sizeof mosts / sizeof *mosts && most->calls; most++)
        fprintf(out, "%s %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", most->probe, most->label, most->instructions, most->stack, most->calls);
    fclose(out);
}

__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "out=", 4)) out = fopen(argv[i] + 4, "w");
        else if (!strncmp(argv[i], "lo=", 3)) lo = strtoull(argv[i] + 3, 0, 0);
        else if (!strncmp(argv[i], "hi=", 3)) hi = strtoull(argv[i] + 3, 0, 0);
    }
    if (!out || !hi) return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, done, NULL);
    return 0;
}
