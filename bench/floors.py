# SPDX-License-Identifier: GPL-2.0-only
"""The floors: limits that the figures of a run must not exceed."""


class Missing(Exception):
    """A figure that a floor needs was not measured."""


class Figures:
    """Medians by key."""

    def __init__(self, medians):
        self.medians = medians

    def __call__(self, key):
        if key not in self.medians:
            raise Missing(key)
        return self.medians[key]

    def copy(self, how, small, large):
        """The time to copy the bytes by which two sizes differ."""
        below = self(f"{how}/1/{small}") if small else 0
        return self(f"{how}/1/{large}") - below


def rendezvous(cpus, other, factor, extra=None):
    def judge(get):
        limit = factor * get(other)
        if extra:
            limit += get(extra)
        return get(f"rendezvous/{cpus}/8"), limit
    return judge


def recorder(how):
    def judge(get):
        copy = get(f"{how}/1/8")
        return get("recorder/1/8") - copy, 0.33 * (get("perf/1/8") - copy)
    return judge


def large(row, how):
    def judge(get):
        return get(f"{row}/512"), get(f"{row}/8") + 1.1 * get.copy(how, 8, 512)
    return judge


def bystander(name, state):
    return lambda get: (get(f"{name}/{state}"), 1.01 * get(f"{name}/absent"))


def scale(mode):
    return lambda get: (get(f"scale-{mode}/512"), 1.15 * get(f"scale-{mode}/1"))


def memory(kib):
    # Unaligned, the stack in use plus the red zone may touch one page more.
    pages = -(-(kib * 1024 + 128) // 4096) + 1
    return lambda get: (get(f"memory/{kib}"), 65536 + 4096 * pages)


def hold(mode, busy):
    return lambda get: (get(f"hold-{mode}/{busy}"), 0.55 * get(f"hold-ptrace/{busy}"))


def held(name):
    return lambda get: (get(f"held/{name}"), 1.2 * get("held/library"))


def gap(name):
    # The start of a program of cpctl's size causes a gap, too.
    return lambda get: (get(f"gap/{name}"),
                        1.2 * max(get("gap/library"), get("gap/check")))


# (title, function, clocks for which the floor holds)
TIME, INSTRUCTIONS, BOTH = ("time",), ("instructions",), ("time", "instructions")

FLOORS = (
    ("rendezvous, two CPUs, 8 KiB: 0.25x the eventfd round trip",
     rendezvous(2, "eventfd/2", 0.25), TIME),
    ("rendezvous, two CPUs, 8 KiB: 0.1x of ptrace",
     rendezvous(2, "ptrace-syscall/2/8", 0.1), TIME),
    ("rendezvous, one CPU, 8 KiB: the eventfd round trip + memcpy",
     rendezvous(1, "eventfd/1", 1.0, "memcpy/1/8"), INSTRUCTIONS),
    ("the same, with rep movsq for memcpy",
     rendezvous(1, "eventfd/1", 1.0, "words/1/8"), INSTRUCTIONS),
    ("rendezvous, one CPU, 8 KiB: 0.45x of ptrace",
     rendezvous(1, "ptrace-syscall/1/8", 0.45), INSTRUCTIONS),
    ("recorder beyond memcpy, 8 KiB: 0.33x of a perf sample's",
     recorder("memcpy"), BOTH),
    ("the same, with rep movsq for memcpy", recorder("words"), BOTH),
    ("rendezvous, two CPUs, 512 KiB: 8 KiB + 1.1x memcpy",
     large("rendezvous/2", "memcpy"), TIME),
    ("rendezvous, one CPU, 512 KiB: 8 KiB + 1.1x memcpy",
     large("rendezvous/1", "memcpy"), BOTH),
    ("the same, with rep movsq for memcpy", large("rendezvous/1", "words"), BOTH),
    ("recorder, 512 KiB: 8 KiB + 1.1x memcpy", large("recorder/1", "memcpy"), BOTH),
    ("the same, with rep movsq for memcpy", large("recorder/1", "words"), BOTH),
    *((f"bystanders, {name}, {state}: 1.01x of the module absent",
       bystander(name, state), INSTRUCTIONS)
      for name in ("null", "fork", "switch") for state in ("loaded", "pairs")),
    ("512 pairs, rendezvous: 1.15x of one pair's", scale("wait"), BOTH),
    ("512 pairs, recorder: 1.15x of one pair's", scale("record"), BOTH),
    ("64 threads, recorder: 1.1x of one thread's",
     lambda get: (get("process-recorder/64"), 1.1 * get("process-recorder/1")), BOTH),
    *((f"hold of 64 threads, {mode}, {busy} compute: 0.55x of ptrace", hold(mode, busy),
       INSTRUCTIONS)
      for busy in (0, 8) for mode in ("get", "region", "asleep")),
    *((f"the time held, cpctl {name}: 1.2x of the library's", held(name), INSTRUCTIONS)
      for name in ("bt", "dump")),
    *((f"the longest gap, cpctl {name}: 1.2x of the library's or cpctl check's", gap(name),
       TIME)
      for name in ("bt", "dump")),
    *((f"memory of an idle pair, {kib} KiB of stack: 64 KiB + its pages",
       memory(kib), BOTH) for kib in (1, 8, 64, 512)),
)


def judge_all(medians, clock):
    """Return a list of dicts, in the order of FLOORS."""
    get = Figures(medians)
    judged = []
    for title, judge, clocks in FLOORS:
        if clock not in clocks:
            continue
        entry = {"floor": title}
        try:
            value, limit = judge(get)
            entry.update(value=value, limit=limit,
                         factor=value / limit if limit > 0 else None,
                         reached=value <= limit)
        except Missing as key:
            entry.update(missing=str(key))
        judged.append(entry)
    return judged
