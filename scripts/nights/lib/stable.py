"""Replaces what changes from run to run, always by the same for the same: so the page changes only when something does."""

import os
import re
from pathlib import Path

PID_KEYS = ("pid", "tid", "pgid", "session")


class Stable:
    """Replaces what no two runs have in common."""

    def __init__(self, directory, night_pid, root):
        self.names = {}
        self.first_moment = None
        cgroups = {line.split(":", 2)[2] for line in Path("/proc/self/cgroup").read_text().splitlines()} - {"/"}
        self.replacements = [
            (re.escape(str(directory)), "/tmp/night"),
            (r"/killsnoop-night-\d+\.slice", ""),
            (re.escape(f"{root}/"), ""),
            *[(re.escape(cgroup) + r'(?=[\s"]|$)', "/") for cgroup in sorted(cgroups, key=len, reverse=True)],
            (rf'(nodename="?){re.escape(os.uname().nodename)}\b', r"\1host"),
            # what is above the night is this machine's alone
            (rf'(tree="?)[^="]*?─(?=[^─()]*\({night_pid}\))', r"\1…─"),
            (r'(tree="?)[^─(]*\(1\)', r"\1init(1)"),
            # where a program and its stack lie
            (r"\b(0{4}|0x)?(?:5[56]|7f)[0-9a-f]{7}([0-9a-f]{3})\b", r"\g<1>555555555\2"),
        ]

    def name(self, kind, value, start):
        known = self.names.setdefault(kind, {})
        return known.setdefault(value, start + len(known))

    def pid(self, pid):
        if pid in self.names.get("nspid", {}):
            return self.nspid(pid)
        # kernel threads and PID 1 are the same each time
        return pid if int(pid) < 300 else str(self.name("pid", pid, 4001))

    def nspid(self, pid):
        """A pid within a namespace: what else was started in there, and how often, is chance."""
        return pid if pid == "1" else str(self.name("nspid", pid, 21))

    def learn(self, pairs):
        """The pids of a line, before it is printed: a command line may hold that of somebody who comes after it."""
        for key, value in pairs:
            if key.endswith(".nspid"):
                self.nspid(value)
            if key.rsplit(".", 1)[-1] in PID_KEYS:
                self.pid(value)
            for pid in re.findall(r"\((\d+)\)", value) if key.endswith("tree") else ():
                self.pid(pid)

    def pids(self, text):
        known = self.names.get("pid", {})
        return re.sub(r"(?<![\w.])\d{3,}(?![\w.]*\w)", lambda word: str(known.get(word[0], word[0])), text)

    def text(self, text):
        for pattern, replacement in self.replacements:
            text = re.sub(pattern, replacement, text)
        return text

    def moment(self, text):
        hour, minute, second = re.match(r".*T(\d+):(\d+):([\d.]+)Z", text).groups()
        moment = int(hour) * 3600 + int(minute) * 60 + float(second)
        self.first_moment = self.first_moment or moment
        return f"2026-01-01T03:12:{moment - self.first_moment:04.1f}Z"

    def value(self, key, value):
        last = key.rsplit(".", 1)[-1]
        if key == "time":
            return self.moment(value)
        if last == "nspid":
            return self.nspid(value)
        if last in PID_KEYS:
            return self.pid(value)
        if last == "key":
            return f"{self.pid(value.split('@')[0])}@{self.name('start', value, 8_000_000_001)}"
        if last == "id" and value.isdigit() and not key.endswith(("user.id", "group.id", "loginUser.id")):
            return str(self.name("id", value, 1))
        if last == "pidns":
            return str(self.name("pidns", value, 4026532001))
        if last == "titleAgeSeconds":
            return "…"
        if last == "secondsAgo":
            return f"{int(float(value))}.0" if float(value) >= 1 else "0.…"
        if last.endswith("Bytes") and int(value) >= 2**20:
            return str(int(value) // 2**20 * 2**20)
        if last == "summary" or key == "tty.name":
            value = re.sub(r"\bpts/\d+", "pts/0", value)
        if last == "summary":
            value = re.sub(r"\b\d+(\.\d+)? (ms|µs)\b", r"… \2", re.sub(r"\b(\d+)\.\d s\b", r"\1.0 s", value))
        return self.pids(value)
