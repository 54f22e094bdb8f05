#!/usr/bin/env python3
"""How fast a large store answers, as it is asked by people: `answers.py PROGRAM STORE [WARM [COLD]]`, runs of each question.

Warm: what it reads is in memory. Cold: nothing of the file is (posix_fadvise). Times are those of the whole command; of a list, up to
its first line.
"""

import json
import os
import resource
import sqlite3
import subprocess
import sys
import time

PROGRAM, STORE = sys.argv[1:3]
WARM, COLD = (int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((3, 50), (4, 10)))
FILE = os.path.join(STORE, "events.db")


def names():
    """What is asked for: of the newest events, what they have."""
    connection = sqlite3.connect(f"file:{FILE}?mode=ro", uri=True)
    of = lambda column, condition="1": next(
        (value for (value,) in connection.execute(f"SELECT {column} FROM subject WHERE {column} IS NOT NULL AND {condition} ORDER BY subject DESC LIMIT 1")), None
    )
    newest, count = connection.execute("SELECT max(until), (SELECT count(*) FROM event) FROM epoch").fetchone()
    death = connection.execute("SELECT json FROM events WHERE death ORDER BY row DESC LIMIT 1").fetchone()
    pid = json.loads(death[0])["target"]["pid"] if death else 1
    found = of("comm"), of("unit"), of("container"), pid, newest, count
    connection.close()
    return found


def forget_pages():
    descriptor = os.open(FILE, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def ask(arguments, is_first_line):
    """Seconds, and the exit status."""
    began = time.perf_counter()
    process = subprocess.Popen([PROGRAM, *arguments, "--store", STORE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.readline() if is_first_line else process.stdout.read()
    spent = time.perf_counter() - began
    process.stdout.close()
    return spent, process.wait()


def main():
    comm, unit, container, pid, newest, count = names()
    second, hour = (f"@{(newest - seconds * 10**9) // 1000 / 1e6:.6f}" for seconds in (1, 3600))
    questions = [
        (["why", comm], False),
        (["why", "no-such-name"], False),
        (["why", str(pid)], False),
        (["log", "--since", hour], True),
        (["log", "--since", second, "-o", "json"], False),
        (["log", "--grep", "sigkill", "-n", "20"], False),
        (["log", "--since", second, "--grep", "no-such-text"], False),
    ]
    questions += [(["log", "-u", unit, "-n", "20"], False)] if unit else []
    questions += [(["log", "--container", container[:12], "-n", "20"], False)] if container else []
    print(f"{count} events, {os.path.getsize(FILE)} bytes, {os.path.getsize(FILE) / count:.0f} bytes each")
    print(f"{'question':58} {'exit':>4} {'warm p50':>9} {'p99':>9} {'cold p50':>9} {'p99':>9}")
    for arguments, is_first_line in questions:
        ask(arguments, is_first_line)
        results = [ask(arguments, is_first_line) for _ in range(WARM)]
        cold = []
        for _ in range(COLD):
            forget_pages()
            cold.append(ask(arguments, is_first_line)[0])
        warm, cold = sorted(spent for spent, _ in results), sorted(cold)
        times = [some[int(len(some) * share)] * 1000 for some in (warm, cold) for share in (0.5, 0.99)]
        print(f"{' '.join(arguments) + (', first line' if is_first_line else ''):58} {results[0][1]:4} " + " ".join(f"{ms:6.1f} ms" for ms in times))
    print(f"most memory of an answer: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MiB")


main()
