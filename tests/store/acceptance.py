#!/usr/bin/env python3
"""What a store promises, tried: `acceptance.py PROGRAM WORKLOAD kills [N]`, or `bound [SECONDS]`.

kills: the recorder is killed at a random moment of a storm, alone or with the process that writes. Then the store is whole, has all
       that was printed up to a second before, and it is known that nobody recorded from then on.
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


def examine(file, behind=0):
    """Every page, and every event behind a row; returns the events, the number of the others, and the runs."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    if (problems := connection.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
        fail(f"{file} is damaged: {problems}")
    rows = connection.execute("SELECT row, json FROM events WHERE row > ? ORDER BY row", (behind,)).fetchall()
    for _, line in rows:
        json.loads(line)
    older, newer = connection.execute("SELECT total(row <= ?1), total(row > ?1) FROM event", (behind,)).fetchone()
    if len(rows) != newer:
        fail("events without a line")
    runs = connection.execute("SELECT run, began, seen, ended FROM run ORDER BY run").fetchall()
    connection.close()
    return rows, int(older), runs


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def name(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return ""


def time_of(text):
    return datetime.fromisoformat(text[:26] + "+00:00").timestamp()


def is_folded(event, folded):
    """Under pressure a line of the store stands for several of those that were printed."""
    at, names = time_of(event["time"]), (event["event"], event.get("signal"), event["target"].get("pid"))
    return any(first <= at <= last and names == of for first, last, of in folded)


class Trial:
    """A store whose recorders are killed, one after another."""

    def __init__(self, target):
        self.directory, self.target = tempfile.TemporaryDirectory(), target
        self.store, self.printed = f"{self.directory.name}/store", f"{self.directory.name}/printed"
        self.row = self.events = self.runs = 0

    def record(self):
        """A recorder in a storm that goes on until it is killed; returns when that was."""
        recorder = subprocess.Popen(
            [PROGRAM, "record", "--store", self.store, "--keep-free", "0", "-o", f"json={self.printed}", "--max-rate", "none",
             "-i", "USR1"],
            stderr=subprocess.PIPE,
        )
        said = b""
        while b"tracing," not in said:
            line = recorder.stderr.readline()
            if not line:
                fail(f"the recorder ended: {said.decode()}")
            said += line
        pause = random.choice(("100", "500", "5000"))
        storm = subprocess.Popen([WORKLOAD, "storm-for", "60000", "10", str(self.target), pause], stdout=subprocess.DEVNULL)
        time.sleep(0.1 + random.random() * 2)
        if random.random() < 0.5:
            for writer in (child for child in children(recorder.pid) if name(child) == "killsnoop-store"):
                os.kill(writer, signal.SIGKILL)
        recorder.kill()
        moment = time.time()
        storm.kill()
        storm.wait()
        recorder.wait()
        # closed when the process that writes has ended as well
        self.said = recorder.stderr.read()
        return moment

    def kill(self):
        """Returns how old the printed events are that are not in the store."""
        if os.path.exists(self.printed):
            os.remove(self.printed)
        moment = self.record()
        rows, older, runs = examine(f"{self.store}/events.db", self.row)
        if older != self.events:
            fail("events of earlier runs are gone")
        self.events += len(rows)
        self.row = rows[-1][0] if rows else self.row
        self.runs += 1
        if len(runs) != self.runs or any(ended is not None for _, _, _, ended in runs):
            fail(f"a run that was killed has an end: {runs[-1]}")
        there = {line for _, line in rows}
        folded = [
            (time_of(event["firstTime"]), time_of(event["time"]), (event["event"], event.get("signal"), event["target"].get("pid")))
            for event in (json.loads(line) for line in there if '"repeated":' in line)
        ]
        with open(self.printed) as file:
            missing = [json.loads(line) for line in file if line.endswith("\n") and line[:-1] not in there]
        return [(moment - time_of(event["time"]), event) for event in missing if not is_folded(event, folded)]

    def check_gaps(self):
        """Of each time between two runs it is known that nobody recorded: the next run closes the gap."""
        _, _, runs = examine(f"{self.store}/events.db", self.row)
        for (_, _, seen, _), (_, began, _, _) in zip(runs, runs[1:]):
            times = [f"@{time // 1000 / 1e6:.6f}" for time in (seen, began)]
            asked = subprocess.run(
                [PROGRAM, "why", "nobody-at-all", "--since", times[0], "--until", times[1], "--store", self.store],
                capture_output=True, text=True,
            )
            if asked.returncode != 3 or "(recorder killed)" not in asked.stderr:
                fail(f"a gap is not reported: {asked}")


def kills(count):
    target = subprocess.Popen([WORKLOAD, "meets", "10", "handle"], stdout=subprocess.DEVNULL)
    ages, events, began = [], 0, time.monotonic()
    try:
        for number in range(count):
            # of a large store most of the time would go to the examination
            if number % 10 == 0:
                trial = Trial(target.pid)
            lost = trial.kill()
            ages.append(max((age for age, _ in lost), default=0.0))
            if ages[-1] > 1:
                oldest = json.dumps(max(lost, key=lambda one: one[0])[1])
                fail(f"kill {number + 1}: {len(lost)} events are not there, the oldest {ages[-1]:.2f} s before the end: {oldest[:400]}")
            if number % 10 == 9 or number == count - 1:
                trial.check_gaps()
                events += trial.events
    finally:
        target.kill()
    ages.sort()
    print(f"{count} kills in {time.monotonic() - began:.0f} s: {events} events, no damage, every gap reported; the oldest event that was lost "
          f"was {ages[len(ages) // 2]:.2f} s old (median), {ages[-1]:.2f} s (worst)")


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
    lines = [line for _, line in examine(f"{store}/events.db")[0]]
    there = set(lines)
    missing = [line for line in deaths if line not in there]
    print(f"{count} events in {spent:.0f} s ({count / spent:.0f}/s); {len(sizes)} samples, most {max(sizes)} bytes of {most_allowed}; "
          f"{len(lines)} events left, {len(deaths) - len(missing)} of {len(deaths)} deaths; peak {int(rss) // 1024} MiB; {said.decode().split()[-5:]}")
    if max(sizes) > most_allowed:
        fail("it was larger than it may be")
    if missing:
        fail("deaths are gone")


{"kills": lambda: kills(NUMBER or 200), "bound": lambda: bound(NUMBER or 300)}[WHAT]()
