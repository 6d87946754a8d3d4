/* A plugin for QEMU that halts the processor where it is about to sleep, and reports it.
 *
 * A debugger's breakpoint would not do: the emulator counts a processor that a debugger has halted as idle, and advances time
 * to the next event. Here the processor is only slow. Other devices go on, so bytes can arrive meanwhile.
 *
 * Use: -plugin halt.so,sleep=ADDRESS,row=ADDRESS,events=FD,replies=FD
 * It writes 's' before a sleep and 'r' before a row of an LED matrix, and continues when it reads 'r' (to the next row or sleep)
 * or a number up to 100 (for so many sleeps). Debian packages no header for plugins, so what is used of QEMU's interface is declared here; it is
 * the same in versions 1 (QEMU 4 to 8) and 2 (QEMU 9 and later), of which each emulator takes one: -DAPI=1 or -DAPI=2. */

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *),
                                                   enum qemu_plugin_cb_flags, void *);
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t,
                                                  void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));

__attribute__((visibility("default"))) int qemu_plugin_version = API;

static uint64_t sleep_hook, row;
static int events, replies;
static bool wants_rows;
static int passing;

static void halt(char event) {
    char reply;
    if (write(events, &event, 1) != 1 || read(replies, &reply, 1) != 1)
        exit(1);
    wants_rows = reply == 'r';
    passing = wants_rows ? 0 : reply - 1;
}

static void on_sleep(unsigned cpu, void *nothing) {
    (void)cpu, (void)nothing;
    if (passing > 0)
        passing--;
    else
        halt('s');
}

static void on_row(unsigned cpu, void *nothing) {
    (void)cpu, (void)nothing;
    if (wants_rows)
        halt('r');
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        uint64_t address = qemu_plugin_insn_vaddr(insn);
        if (address == sleep_hook)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_sleep, QEMU_PLUGIN_CB_NO_REGS, NULL);
        if (row && address == row)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_row, QEMU_PLUGIN_CB_NO_REGS, NULL);
    }
}

__attribute__((visibility("default")))
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (!value)
            return 1;
        uint64_t number = strtoull(value + 1, NULL, 0);
        if (!strncmp(argv[i], "sleep=", 6)) sleep_hook = number;
        else if (!strncmp(argv[i], "row=", 4)) row = number;
        else if (!strncmp(argv[i], "events=", 7)) events = (int)number;
        else if (!strncmp(argv[i], "replies=", 8)) replies = (int)number;
        else return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
