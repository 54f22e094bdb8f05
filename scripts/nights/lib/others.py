"""What other tools said of the same night, of what they wrote into its directory: only what names the same processes and signals."""

import re

from logfmt import tokens


def shortened(rows, most):
    """How many there are of a flood is chance, but for its order."""
    left = len(rows) - most
    return rows if left <= 0 else [*rows[:most], f"… and {left} more" if left < 20 else f"… and over {left // 20 * 20} more"]


def of_killsnoop(directory, senders, signals, stable):
    """The rows in which one of these sent: what others send of their own accord comes when it likes."""
    rows = (directory / "killsnoop.bt").read_text().splitlines()
    fields = (re.match(r"\d\d:\d\d:\d\d +(\d+) +(.*?) +(\d+) +(-?)(\d+) +(-?\d+)$", row) for row in rows)
    found = [
        f"03:12:00  {stable.pid(pid):6} {comm:16} {signal:4} {minus + stable.pid(target):6} {result}"
        for pid, comm, signal, minus, target, result in (match.groups() for match in fields if match)
        if signal in signals and pid in senders
    ]
    head = next(row for row in rows if row.startswith("TIME"))
    return [head, *shortened(found, 3)] if found else []


AUDIT_TYPES = {"1300": "SYSCALL", "1318": "OBJ_PID", "1327": "PROCTITLE", "1701": "ANOM_ABEND"}
AUDIT_KEYS = "syscall success exit a0 a1 a2 ppid pid auid uid comm exe opid ouid ocomm proctitle reason sig res".split()


def of_audit(directory, senders, ended, signals, stable):
    """The records of what these sent, and of how those ended, as auditd writes them, shortened."""
    events = {}
    for record in re.finditer(r"audit: type=(\d+) audit\(([\d.:]+)\): (.*)", (directory / "kernel").read_text()):
        fields = dict(tokens(record[3]))
        events.setdefault(record[2], []).append((AUDIT_TYPES.get(record[1], record[1]), fields))
    found = []
    # a death is reported by another thread than the call before it
    for records in sorted(events.values(), key=lambda records: "syscall" not in records[0][1]):
        signal = audit_signal(records[0][1])
        named = senders if "syscall" in records[0][1] else ended
        if signal in signals and records[0][1].get("pid") in named:
            found.append("\n".join(f"type={kind} {audit_fields(fields, stable)}" for kind, fields in records))
    return shortened(found, 5 if len(found) < 8 else 2)


def audit_signal(fields):
    """By a system call, the third argument of tgkill and the second of the others; by a death, its own field."""
    if "syscall" not in fields:
        return fields.get("sig")
    argument = fields.get("a2" if fields["syscall"] == "234" else "a1")
    # a seccomp record names a system call as well, and no arguments
    return argument and str(int(argument, 16))


def audit_fields(fields, stable):
    for key in ("pid", "ppid", "opid"):
        if key in fields:
            fields[key] = stable.pid(fields[key])
    # the first arguments of the kill family are pids, in hexadecimal: of tgkill two
    for key in ("a0", "a1") if fields.get("syscall") == "234" else ("a0",):
        if key in fields:
            pid = int(fields[key], 16)
            pid -= 2**32 if 2**31 <= pid < 2**32 else 2**64 if pid >= 2**63 else 0
            stable_pid = int(stable.pid(str(abs(pid))))
            fields[key] = f"{stable_pid if pid >= 0 else 2**64 - stable_pid:x}"
    if re.fullmatch(r"[0-9A-F]+", fields.get("proctitle", "")):
        title = bytes.fromhex(fields["proctitle"]).decode(errors="replace").replace("\0", " ")
        fields["proctitle"] = stable.pids(stable.text(title))
    if fields.get("syscall") != "234":
        fields.pop("a2", None)
    return stable.text(" ".join(f"{key}={fields[key]}" for key in AUDIT_KEYS if key in fields))


def of_dmesg(directory, pids, allocating, stable):
    """The kernel's own lines that name one of these, without the table of tasks, which does not say who was killed."""
    rows = (directory / "kernel").read_text().splitlines()
    rows = [re.sub(r" likely on CPU .*", "", row) for row in rows if not row.startswith("audit: ")]
    rows = [re.sub(r" sp [0-9a-f]+| pgtables:\d+kB", "", row) for row in rows]
    rows = [re.sub(r"\b(\d{4,})kB", lambda size: f"{int(size[1]) // 1024 * 1024}kB", row) for row in rows]
    word = re.compile(rf"(?<!\w)({'|'.join(pids)})(?!\w)")
    # its first line names no pid
    is_first = re.compile(rf"({'|'.join(map(re.escape, allocating))}) invoked oom-killer" if allocating else r"(?!)")
    found = [row for row in rows if is_first.match(row) or word.search(row) and not re.match(r"\[ *\d+\]|CPU:", row)]
    return [stable.pids(stable.text(row)) for row in shortened(found, 4)]
