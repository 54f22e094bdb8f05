#!/usr/bin/env python3
"""The same questions of audit records and of a journal with the same events: `beside.py STORE EVENTS`, the newest so many.

Needs ausearch (auditd) and systemd-journal-remote, which makes a journal of what it reads. Each question is asked five times.
"""

import datetime
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time

STORE, EVENTS = sys.argv[1], int(sys.argv[2])
REMOTE = "/lib/systemd/systemd-journal-remote"


def events():
    connection = sqlite3.connect(f"file:{STORE}/events.db?mode=ro", uri=True)
    first = connection.execute("SELECT max(row) FROM event").fetchone()[0] - EVENTS
    for time_, line in connection.execute("SELECT time, json FROM events WHERE row > ? ORDER BY row", (first,)):
        yield time_, json.loads(line)


def audit(number, at, event):
    source, target = event.get("source") or {}, event.get("target") or {}
    stamp = f"audit({at // 10**9}.{at // 10**6 % 1000:03}:{number})"
    title = " ".join(source.get("cmdline", ["x"])).encode().hex().upper()
    return (
        f'type=SYSCALL msg={stamp}: arch=c000003e syscall=62 success=yes exit=0 a0={target.get("pid", 0):x} a1={event.get("signal", 0):x} a2=0 a3=0 '
        f'items=0 ppid={(source.get("parent") or {}).get("pid", 1)} pid={source.get("pid", 1)} auid=4294967295 uid=0 gid=0 euid=0 suid=0 fsuid=0 '
        f'egid=0 sgid=0 fsgid=0 tty=(none) ses=4294967295 comm="{source.get("comm", "x")}" exe="{source.get("exe", "/x")}" subj=unconfined key="kill"\n'
        f'type=OBJ_PID msg={stamp}: opid={target.get("pid", 0)} oauid=-1 ouid=0 oses=-1 obj=unconfined ocomm="{target.get("comm", "x")}"\n'
        f"type=PROCTITLE msg={stamp}: proctitle={title}\n"
    )


def entry(at, event):
    source, target = event.get("source") or {}, event.get("target") or {}
    fields = {
        "__REALTIME_TIMESTAMP": at // 1000, "__MONOTONIC_TIMESTAMP": at // 1000 % 10**12, "_BOOT_ID": "0" * 31 + "1",
        "MESSAGE": event.get("summary", event["msg"]).replace("\n", " "), "PRIORITY": 6, "SYSLOG_IDENTIFIER": "killsnoop",
        "SIGNAL": event.get("signalName", ""), "SOURCE_PID": source.get("pid", 0), "SOURCE_COMM": source.get("comm", ""),
        "TARGET_PID": target.get("pid", 0), "TARGET_COMM": target.get("comm", ""),
    }
    return "".join(f"{key}={value}\n" for key, value in fields.items()) + "\n"


def ask(name, command):
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    print(f"{name:50} {sorted(times)[2] * 1000:9.1f} ms")


with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
    log, journal = f"{directory}/audit.log", f"{directory}/remote.journal"
    began = time.perf_counter()
    remote = subprocess.Popen([REMOTE, "-o", journal, "--split-mode=none", "-"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    newest, pid, comm = 0, 1, "x"
    with open(log, "w") as file:
        for number, (at, event) in enumerate(events()):
            file.write(audit(number, at, event))
            remote.stdin.write(entry(at, event))
            newest = max(newest, at)
            if event.get("target"):
                pid, comm = event["target"].get("pid", 1), event["target"].get("comm", comm)
    remote.stdin.close()
    remote.wait()
    journals = [os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(".journal")]
    files = [f"--file={path}" for path in journals]
    size = sum(os.path.getsize(path) for path in journals)
    print(f"{EVENTS} events: audit records {os.path.getsize(log) // EVENTS} bytes each, journal {size // EVENTS} bytes each ({time.perf_counter() - began:.0f} s to make)")
    minute = newest // 10**9 - 60
    at = datetime.datetime.fromtimestamp(minute)
    ask("ausearch: a pid", ["ausearch", "-if", log, "-p", str(pid)])
    ask("ausearch: the last minute", ["ausearch", "-if", log, "-ts", at.strftime("%m/%d/%Y"), at.strftime("%H:%M:%S")])
    ask("journalctl: the newest of a name", ["journalctl", *files, "-n", "1", f"TARGET_COMM={comm}"])
    ask("journalctl: the newest of a name that there is not", ["journalctl", *files, "-n", "1", "TARGET_COMM=nothing"])
    ask("journalctl: the last minute", ["journalctl", *files, "--since", f"@{minute}", "-o", "json"])
    ask("journalctl: 20 by a pattern", ["journalctl", *files, "-n", "20", "-g", "sigkill"])
