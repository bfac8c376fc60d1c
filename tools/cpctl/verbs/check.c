// SPDX-License-Identifier: GPL-2.0-only
/* cpctl check: whether this machine meets all requirements. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <checkpoint.h>

#include "cmdline.h"
#include "cpctl.h"
#include "exit.h"
#include "facts.h"
#include "json.h"
#include "kconfig.h"
#include "members.h"
#include "output.h"
#include "style.h"
#include "text.h"

static const struct cmdline cmdline = {
	.prints = true,
	.help =
	"Usage: cpctl check [OPTION]...\n"
	"Print whether this machine has all that is needed, and what to do if not.\n"
	"\n"
	"      --json             print JSON\n"
	CMDLINE_LAST_HELP,
	.options = {
		{ "json", no_argument, NULL, OPT_JSON },
	},
};

/* enum state - the result of a check */
enum state {
	OK,		/* the requirement is met */
	MISSING,	/* the requirement is not met */
	UNKNOWN,	/* this could not be determined */
};

/*
 * struct finding - the result of a check
 * @state: whether the requirement is met
 * @detail: a description of the present state
 * @todo: the advice to the user; may be empty
 */
struct finding {
	enum state	state;
	char		detail[160];
	const char	*todo;
};

__attribute__((format(printf, 4, 5)))
static void found(struct finding *finding, enum state state, const char *todo,
		  const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(finding->detail, sizeof(finding->detail), fmt, args);
	va_end(args);
	finding->state = state;
	finding->todo = todo;
}

static void check_processor(struct finding *finding)
{
	struct utsname name;

	uname(&name);
	if (!strcmp(name.machine, "x86_64"))
		found(finding, OK, "", "%s", name.machine);
	else
		found(finding, MISSING, "use an x86-64 kernel", "%s",
		      name.machine);
}

static void check_options(struct finding *finding)
{
	static const char *const options[] = {
		"CONFIG_USER_RETURN_NOTIFIER",
		"CONFIG_PREEMPT_NOTIFIERS",
		"CONFIG_TRACEPOINTS",
	};
	size_t i;

	if (module_loaded()) {
		found(finding, OK, "", "the module runs on this kernel");
		return;
	}
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		int has = kconfig_has(options[i]);

		if (has < 0) {
			found(finding, UNKNOWN, "see whether the module loads",
			      "the kernel's configuration cannot be read");
			return;
		}
		if (!has) {
			found(finding, MISSING,
			      "use a kernel with this option, Debian's for one",
			      "%s is off", options[i]);
			return;
		}
	}
	found(finding, OK, "", "user-return and preempt notifiers, tracepoints");
}

static void check_exports(struct finding *finding)
{
	int has;

	if (module_loaded()) {
		found(finding, OK, "", "the module runs on this kernel");
		return;
	}
	has = kernel_exports("task_work_add");
	if (has < 0)
		found(finding, UNKNOWN,
		      "install the kernel's headers to build the module",
		      "the list of exported functions cannot be read");
	else if (!has)
		found(finding, MISSING,
		      "use a kernel that exports it, as Debian's do",
		      "task_work_add is not exported to modules");
	else
		found(finding, OK, "", "task_work_add is exported to modules");
}

static void check_proc(struct finding *finding)
{
	if (access("/proc/self/mem", R_OK))
		found(finding, MISSING, "mount it: mount -t proc none /proc",
		      "/proc/self/mem: %s", strerror(errno));
	else
		found(finding, OK, "", "/proc is mounted");
}

static void check_yama(struct finding *finding)
{
	int scope = yama_scope();
	bool all = may_trace_all();

	if (scope < 0)
		found(finding, OK, "", "not in use");
	else if (scope == 3)
		found(finding, MISSING,
		      "set kernel.yama.ptrace_scope lower at boot",
		      "scope 3: nobody may be paired with");
	else if (all)
		found(finding, OK, "",
		      "scope %d: no limit for you, who have CAP_SYS_PTRACE",
		      scope);
	else if (scope == 2)
		found(finding, MISSING,
		      "be root, or set kernel.yama.ptrace_scope lower",
		      "scope 2: you may pair with nobody");
	else if (scope == 1)
		found(finding, OK, "",
		      "scope 1: you may pair with what you start by 'cpctl run'");
	else
		found(finding, OK, "",
		      "scope 0: you may pair with your own processes");
}

static void check_module(struct finding *finding)
{
	if (module_loaded())
		found(finding, OK, "", "checkpoint is loaded");
	else
		found(finding, MISSING,
		      "modprobe checkpoint, or insmod checkpoint.ko where it was built",
		      "checkpoint is not loaded");
}

static void check_device(struct finding *finding)
{
	struct stat st;

	if (stat(CP_DEVICE, &st))
		found(finding, MISSING,
		      module_loaded() ? "see that udev or a devtmpfs makes it" :
					"load the module",
		      CP_DEVICE ": %s", strerror(errno));
	else if (!S_ISCHR(st.st_mode))
		found(finding, MISSING, "remove it and reload the module",
		      CP_DEVICE " is not a character device");
	else
		found(finding, OK, "", CP_DEVICE ", mode %04o",
		      st.st_mode & 07777U);
}

static void check_permission(struct finding *finding)
{
	if (!access(CP_DEVICE, R_OK | W_OK))
		found(finding, OK, "", "you may open it");
	else if (errno == EACCES)
		found(finding, MISSING,
		      "be root, or install the udev rule and join the group 'checkpoint'",
		      "you may not open " CP_DEVICE);
	else
		found(finding, UNKNOWN, "see above", "no device to open");
}

static void check_interface(struct finding *finding)
{
	int fd = open(CP_DEVICE, O_RDWR | O_CLOEXEC);
	struct cp_info info;

	if (fd < 0)
		found(finding, UNKNOWN, "see above", "cannot open " CP_DEVICE);
	else if (ioctl(fd, CP_IOC_INFO, &info))
		found(finding, MISSING, "remove it and reload the module",
		      CP_DEVICE " is another device: %s", strerror(errno));
	else if (info.version != CP_VERSION)
		found(finding, MISSING, "install both from the same release",
		      "the module speaks version %u, this cpctl %u",
		      info.version, CP_VERSION);
	else if (!(info.features & CP_FEATURE_RENDEZVOUS) ||
		 !(info.features & CP_FEATURE_NUDGE))
		found(finding, MISSING, "install both from the same release",
		      "version %u, features 0x%llx: too few", info.version,
		      (unsigned long long)info.features);
	else
		found(finding, OK, "",
		      "version %u, features 0x%llx, stacks up to %llu KiB (%llu by default)",
		      info.version, (unsigned long long)info.features,
		      (unsigned long long)info.stack_max / 1024,
		      (unsigned long long)info.stack_default / 1024);
	if (fd >= 0)
		close(fd);
}

/* The features of the module that 'cpctl record' requires. */
static const struct {
	uint64_t	bit;
	const char	*name;
} recorder_features[] = {
	{ CP_FEATURE_SLOTS, "many slots" },
	{ CP_FEATURE_RATE, "rates" },
	{ CP_FEATURE_DEATH, "the state of death" },
	{ CP_FEATURE_XSTATE, "vector registers" },
};

#define NR_RECORDER_FEATURES \
	(sizeof(recorder_features) / sizeof(recorder_features[0]))

static void add_name(char *list, size_t size, const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len ? ", " : "", name);
}

static void check_recorder(struct finding *finding)
{
	int fd = open(CP_DEVICE, O_RDWR | O_CLOEXEC);
	char has[128] = "", lacks[128] = "";
	struct cp_info info = {};
	size_t i;

	if (fd < 0 || ioctl(fd, CP_IOC_INFO, &info)) {
		found(finding, UNKNOWN, "see above", "cannot ask the module");
	} else {
		for (i = 0; i < NR_RECORDER_FEATURES; i++)
			add_name(info.features & recorder_features[i].bit ?
					 has : lacks, sizeof(has),
				 recorder_features[i].name);
		if (*lacks)
			found(finding, MISSING, "install both from the same release",
			      "the module lacks: %s", lacks);
		else
			found(finding, OK, "", "%s", has);
	}
	if (fd >= 0)
		close(fd);
}

/* The value of a numeric parameter of the module; 0 if it cannot be read. */
static unsigned long long parameter(const char *name)
{
	char path[80], line[32];

	snprintf(path, sizeof(path), "/sys/module/checkpoint/parameters/%s",
		 name);
	if (!first_line(path, line, sizeof(line)))
		return 0;
	return strtoull(line, NULL, 10);
}

static void check_limits(struct finding *finding)
{
	unsigned long long own = parameter("pairs_per_user");
	unsigned long long all = parameter("pairs_max");
	unsigned long long kib = parameter("memory_per_user") / 1024;

	if (!module_loaded())
		found(finding, UNKNOWN, "see above", "no module to ask");
	else if (may_exceed_limits())
		found(finding, OK, "",
		      "none for you, who have CAP_SYS_RESOURCE; a user has %llu pairs, %llu KiB",
		      own, kib);
	else if (!own || !all || !kib)
		found(finding, MISSING,
		      "have root raise pairs_max, pairs_per_user and memory_per_user in /sys/module/checkpoint/parameters",
		      "users may have no pairs");
	else
		found(finding, OK, "",
		      "%llu pairs and %llu KiB for each user, %llu pairs for all",
		      own, kib, all);
}

static const struct check {
	const char	*name;
	void		(*function)(struct finding *finding);
} checks[] = {
	{ "processor", check_processor },
	{ "kernel options", check_options },
	{ "kernel exports", check_exports },
	{ "proc", check_proc },
	{ "yama", check_yama },
	{ "module", check_module },
	{ "device", check_device },
	{ "permission", check_permission },
	{ "interface", check_interface },
	{ "recorder", check_recorder },
	{ "limits", check_limits },
};

#define NR_CHECKS (sizeof(checks) / sizeof(checks[0]))

static const char *finding_word(enum state state)
{
	switch (state) {
	case OK:
		return "ok";
	case MISSING:
		return "missing";
	default:
		return "unknown";
	}
}

static void print_finding(const char *name, const struct finding *finding)
{
	const struct style *style = style_of(stdout);

	printf("%s%-8s%s ", finding->state == OK ? "" : style->head,
	       finding_word(finding->state),
	       finding->state == OK ? "" : style->end);
	print_name(stdout, name);
	fputs(": ", stdout);
	print_name(stdout, finding->detail);
	if (*finding->todo) {
		fputs(" - ", stdout);
		print_name(stdout, finding->todo);
	}
	putchar('\n');
}

static struct json_object *finding_object(const char *name,
					  const struct finding *finding)
{
	struct json_object *object = json_object_new_object();

	member_string(object, "name", name);
	member_string(object, "state", finding_word(finding->state));
	member_string(object, "detail", finding->detail);
	if (*finding->todo)
		member_string(object, "todo", finding->todo);
	return object;
}

static int check_all(bool json)
{
	struct json_object *array = json_object_new_array();
	struct json_object *object = json_object_new_object();
	struct finding finding;
	bool ok = true;
	int status;
	size_t i;

	for (i = 0; i < NR_CHECKS; i++) {
		checks[i].function(&finding);
		ok = ok && finding.state != MISSING;
		if (!json)
			print_finding(checks[i].name, &finding);
		json_object_array_add(array,
				      finding_object(checks[i].name, &finding));
	}
	member_bool(object, "ok", ok);
	json_object_object_add(object, "checks", array);
	if (json)
		json_line(stdout, object);
	else
		json_object_put(object);
	status = output_flush(stdout);
	return ok ? status : EXIT_REFUSED;
}

/* The cmdline_set_fn of check: sets --json, the only option. */
static bool set_json(void *json, int option)
{
	(void)option;
	*(bool *)json = true;
	return true;
}

int verb_check(int argc, char **argv)
{
	bool json = false;
	int status = cmdline_parse(argc, argv, &cmdline, set_json, &json);

	if (status < 0)
		status = cmdline_none(argc, argv);
	return status < 0 ? check_all(json) : status;
}
