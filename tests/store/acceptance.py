#!/usr/bin/env python3
"""What a store promises, tried: `acceptance.py PROGRAM WORKLOAD kills [N]`, or `bound [SECONDS]`.

kills: the recorder is killed at a random moment, alone or with the process that writes. Then the store is whole, and has all that was
       printed up to a second before.
bound: a store of 64 MiB in a storm of events, all of processes of their own. It never has a byte more, and every death is there.
"""

import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta, timezone

PROGRAM, WORKLOAD, WHAT = sys.argv[1:4]
NUMBER = int(sys.argv[4]) if len(sys.argv) > 4 else None
FIXTURES = os.path.join(os.path.dirname(__file__), "..", "data")


def fail(text):
    sys.exit(f"acceptance: {text}")


def examine(file):
    """Every page and every event; returns the events."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    if (problems := connection.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
        fail(f"{file} is damaged: {problems}")
    lines = [line for (line,) in connection.execute("SELECT json FROM events ORDER BY row")]
    for line in lines:
        json.loads(line)
    if len(lines) != connection.execute("SELECT count(*) FROM event").fetchone()[0]:
        fail("events without a line")
    runs = connection.execute("SELECT run, began, seen, ended FROM run ORDER BY run").fetchall()
    connection.close()
    return lines, runs


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def name(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def kills(count):
    directory = tempfile.mkdtemp()
    store, printed = f"{directory}/store", f"{directory}/printed"
    target = subprocess.Popen([WORKLOAD, "meets", "10", "handle"], stdout=subprocess.DEVNULL)
    lost, worst, events = 0, 0.0, 0
    known = set()
    for number in range(count):
        if os.path.exists(printed):
            os.remove(printed)
        recorder = subprocess.Popen(
            [PROGRAM, "record", "--store", store, "-o", f"json={printed}", "--max-rate", "none", "-i", "USR1"],
            stderr=subprocess.PIPE,
        )
        said = b""
        while b"tracing," not in said:
            line = recorder.stderr.readline()
            if not line:
                fail(f"the recorder ended: {said.decode()}")
            said += line
        storm = subprocess.Popen([WORKLOAD, "storm", "10", "3000", str(target.pid)], stdout=subprocess.DEVNULL)
        time.sleep(random.random() * 2.5)
        writers = [child for child in children(recorder.pid) if name(child) == "killsnoop-store"]
        together = number % 2 == 0
        if together:
            for writer in writers:
                os.kill(writer, signal.SIGKILL)
        recorder.kill()
        moment = datetime.now(timezone.utc)
        recorder.wait()
        recorder.stderr.read()
        storm.wait()
        lines, runs = examine(f"{store}/events.db")
        there = set(lines)
        with open(printed) as file:
            whole = [line.rstrip("\n") for line in file if line.endswith("\n")]
        missing = [line for line in whole if line not in there]
        for line in missing:
            at = datetime.fromisoformat(json.loads(line)["time"][:26] + "+00:00")
            age = (moment - at).total_seconds()
            worst = max(worst, age)
            if age > 1.5:
                fail(f"an event of {age:.1f} s before the end is not there (killed together: {together}): {line[:300]}")
        lost += len(missing)
        if not known <= there:
            fail("events of earlier runs are gone")
        known = there
        events = len(lines)
        if runs[-1][3] is not None or len(runs) != number + 1:
            fail(f"a run that was killed has an end: {runs[-1]}")
    target.kill()
    print(f"{count} kills: {events} events, no damage, {lost} of the last moment lost, the oldest {worst:.2f} s old")


def derived():
    """Events of processes of their own, without an end."""
    lines = []
    for entry in sorted(os.listdir(FIXTURES)):
        if entry.endswith(".json") and entry != "cut.json":
            with open(os.path.join(FIXTURES, entry)) as file:
                lines += file.read().splitlines()
    signals = [line for line in lines if '"event":"signal"' in line and '"fatal":true' not in line]
    deaths = [line for line in lines if '"event":"ended"' in line and '"coreDumped"' in line and '"after"' not in line]
    pids = re.compile(r'("pid":|"|\()(\d{2,7})(?=@\d|\)|,)')
    begin = datetime(2026, 1, 1, tzinfo=timezone.utc)
    number = 0
    while True:
        is_death = number % 500 == 0
        line = deaths[0] if is_death else signals[number % len(signals)]
        line = pids.sub(lambda found: found[1] + str((int(found[2]) + number * 7) % 4194304), line)
        at = (begin + timedelta(milliseconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
        line = re.sub(r'"time":"[^"]*"', f'"time":"{at}"', line, count=1)
        yield line, is_death
        number += 1


def bound(seconds):
    most_allowed = 64 << 20
    directory = tempfile.mkdtemp(dir="/var/tmp")
    store = f"{directory}/store"
    ours, theirs = socket.socketpair()
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [PROGRAM, "write-store", "--store", store, "--filters=", "--log-level", "info", "--max-bytes", str(most_allowed),
         "--keep-free", "0"],
        stdin=reading, stdout=theirs.fileno(),
    )
    os.close(reading)
    theirs.close()
    if not ours.recv(100).startswith(b"ready"):
        fail("the store is not open")
    sizes, over = [], threading.Event()

    def size():
        total = 0
        for end in ("", "-wal", "-shm"):
            try:
                total += os.stat(f"{store}/events.db{end}").st_size
            except OSError:
                pass
        return total

    def watch():
        while not over.is_set():
            sizes.append(size())
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    deaths, count, buffer = [], 0, []
    began = time.monotonic()
    for line, is_death in derived():
        if is_death:
            deaths.append(line)
        buffer.append(line)
        count += 1
        if len(buffer) == 200:
            bytes_left = ("\n".join(buffer) + "\n").encode()
            while bytes_left:
                bytes_left = bytes_left[os.write(writing, bytes_left):]
            buffer = []
            if time.monotonic() - began >= seconds:
                break
    spent = time.monotonic() - began
    with open(f"/proc/{process.pid}/status") as file:
        rss = re.search(r"VmHWM:\s*(\d+) kB", file.read())[1]
    ours.sendall(b"end stopped\n")
    said = b""
    while data := ours.recv(4096):
        said += data
    process.wait()
    over.set()
    watcher.join()
    lines, _ = examine(f"{store}/events.db")
    there = set(lines)
    missing = [line for line in deaths if line not in there]
    print(f"{count} events in {spent:.0f} s ({count / spent:.0f}/s); {len(sizes)} samples, most {max(sizes)} bytes of {most_allowed}; "
          f"{len(lines)} events left, {len(deaths) - len(missing)} of {len(deaths)} deaths; peak {int(rss) // 1024} MiB; {said.decode().split()[-5:]}")
    if max(sizes) > most_allowed:
        fail("it was larger than it may be")
    if missing:
        fail("deaths are gone")


{"kills": lambda: kills(NUMBER or 200), "bound": lambda: bound(NUMBER or 300)}[WHAT]()
