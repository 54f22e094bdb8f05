"""Finds a night's lines in what killsnoop printed as logfmt, and makes the night's part of docs/who-killed-me.md.

page.py lines DIRECTORY NAME…   prints the lines
page.py page DIRECTORY NAME…    prints the part of the page

The checks chose events of the JSON (DIRECTORY/line.NAME); the logfmt is of another killsnoop, which saw the same signals but
numbers its events itself.
"""

import json
import os
import re
import sys
import textwrap
from pathlib import Path

from logfmt import tokens
from others import of_audit, of_dmesg, of_killsnoop
from picture import draw
from stable import Stable

# what every line on the page shows, besides what the night's checks look at
ALWAYS = """event id signalName summary origin relation result fatal previous after trigger oom fault tty missing exitCode coreDumped
source.pid source.nspid source.cmdline source.tree source.lastChildDeath target.pid target.nspid target.cmdline
target.tree""".split()
WIDTH = 116


def identity(get):
    """What an event is known by in both outputs, up to its repetitions."""
    return tuple(get(key) or "" for key in ("event", "signalName", "target.key", "source.key", "origin", "scope"))


def at(event, path):
    for key in path.split("."):
        event = event.get(key) if isinstance(event, dict) else None
    return event


def lines_of(directory, names):
    """The logfmt line of each named event; None where there is none."""
    events = [json.loads(line) for line in (directory / "json").read_text().splitlines()]
    lines = {}
    for line in (directory / "logfmt").read_text().splitlines():
        lines.setdefault(identity(dict(tokens(line)).get), []).append(line)
    for name in names:
        wanted = json.loads((directory / f"line.{name}").read_text())
        known_by = identity(lambda path: at(wanted, path))
        alike = [event["id"] for event in events if identity(lambda path: at(event, path)) == known_by and "id" in event]
        position = alike.index(wanted["id"])
        candidates = lines.get(known_by, [])
        yield name, wanted, candidates[position] if position < len(candidates) else None


def is_shown(key, looked_at, gone):
    if ".spawnedBy." in key:
        return key.rsplit(".", 1)[0] in gone and key.endswith((".pid", ".cmdline", ".exited"))
    if ".parent." in key:
        return False
    return any(key == path or key.startswith(f"{path}.") for path in [*ALWAYS, *looked_at])


def wrapped(line):
    rows, row = [], ""
    for key, value in line:
        token = f"{key}={value}"
        if row and len(row) + 1 + len(token) > WIDTH:
            rows.append(row)
            row = " "
        row += f" {token}" if row else token
    return "\n".join([*rows, row, "  …"])


def paragraph(text):
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def fenced(text, language="text"):
    return f"```{language}\n{text}\n```\n"


def facts_of(events, *paths):
    """The pids, or the numbers of the signals, that others may name as well."""
    return {str(at(event, path)) for event in events for path in paths if at(event, path)}


def facts(event, line):
    """What the picture needs of a line, also where the line does not show it."""
    disposition = at(event, "target.disposition")
    return {**dict(line), **({"target.disposition": disposition} if disposition else {})}


def page(directory, names):
    def read(name):
        return (directory / name).read_text().strip()

    stable = Stable(directory, read("pid"), os.environ["ROOT_DIR"])
    looked_at = {path.strip(".") for path in re.findall(r"(?<!\w)\.[a-z][A-Za-z0-9_.]*", read("checks"))}
    looked_at -= {"source", "target"}
    found = []
    for name, event, line in lines_of(directory, names):
        line = tokens(stable.text(line))
        # those that are gone say who started an orphan
        gone = {key.removesuffix(".exited") for key, value in line if key.endswith(".exited") and value == "true"}
        found.append((name, event, [(key, value) for key, value in line if is_shown(key, looked_at, gone)]))
    for _, _, line in found:
        stable.learn(line)
    found = [(name, event, [(key, stable.value(key, value)) for key, value in line]) for name, event, line in found]
    print(f"## {read('title')}\n\n{fenced(draw(facts(event, line) for _, event, line in found))}")
    print(f"{paragraph(read('happened'))}\n")
    print(fenced(read("commands"), "sh"))
    print("**killsnoop**\n")
    for name, _, line in found:
        what = read(f"what.{name}")
        print(f"{what[0].upper()}{what[1:]}:\n\n{fenced(wrapped(line))}")
    events = [event for _, event, _ in found]
    pids = facts_of(events, "source.pid", "target.pid", "trigger.pid")
    senders, ended = facts_of(events, "source.pid"), facts_of(events, "target.pid")
    signals = facts_of(events, "signal")
    for tool, rows in (
        ("dmesg", of_dmesg(directory, pids, facts_of(events, "trigger.comm"), stable)),
        ("bcc's killsnoop", of_killsnoop(directory, senders, signals, stable)),
        ("auditd", of_audit(directory, senders, ended, signals, stable)),
    ):
        print(f"**{tool}**:\n\n" + fenced("\n".join(rows)) if rows else f"**{tool}**: nothing.\n")
    print(f"{paragraph(read('others'))}\n")
    print(paragraph(f"**What no tool can know**: {read('unknown')}") + "\n")


def main():
    mode, directory, names = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    if mode == "page":
        page(directory, names)
        return
    for name, _, line in lines_of(directory, names):
        if line is None:
            sys.exit(f"no logfmt line of '{name}'")
        print(line)


main()
