"""Draws a night's lines as one tree of all processes, with each signal below its sender, and each end below its process.

It adds nothing to the lines: processes, parents, signals and results are theirs.
"""

import re

WIDTH = 116
NAMED_PID = re.compile(r".*\((\d+)\)$")


class Process:
    def __init__(self, name):
        self.name, self.text, self.news, self.children = name, "", [], []


def plain(value):
    """A value of logfmt without its quotes, a list without its brackets."""
    if value.startswith('"'):
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return value[1:-1] if value.startswith("[") and value.endswith("]") else value


class Forest:
    """All processes of the lines' trees; where a process was first is where it stays."""

    def __init__(self):
        self.top, self.known = Process(""), {}

    def add(self, path):
        # names without a pid ("…") stand for what is cut
        names = [(pid[1] if (pid := NAMED_PID.match(name)) else name, name) for name in path.split("─")]
        if names[-1][0] in self.known:
            return self.known[names[-1][0]]
        above = self.top
        for key, name in names:
            if key not in self.known:
                self.known[key] = Process(name)
                above.children.append(self.known[key])
            above = self.known[key]
        return above

    def process(self, facts, side):
        if f"{side}.tree" not in facts:
            return None
        process = self.add(plain(facts[f"{side}.tree"]))
        process.text = process.text or plain(facts.get(f"{side}.title") or facts.get(f"{side}.cmdline", ""))
        return process


def result(facts):
    if facts.get("fatal") == "true":
        what = "ends it"
    elif facts.get("target.disposition") == "handled":
        what = "handled"
    else:
        what = facts["result"]
    before = facts.get("previous.secondsAgo", "0")
    return what + ("" if before.startswith("0") else f", {before} s after {facts['previous.signalName']}")


def add_news(forest, facts):
    """Adds the news of one line."""
    target, source = forest.process(facts, "target"), forest.process(facts, "source")
    signal = facts.get("signalName", "")
    if facts["event"] == "ended":
        target.news.append(f"killed by {signal}" if signal else f"exited with status {facts['exitCode']}")
    elif source is target:
        target.news.append(f"{signal}─▶ itself  {result(facts)}")
    elif source:
        source.news.append(f"{signal}─▶ {target.name}  {result(facts)}")
    else:
        by = f" trigger={plain(facts['trigger.comm'])}({facts['trigger.pid']})" if "trigger.pid" in facts else ""
        target.news.append(f"{signal}: origin={facts['origin']}{by}  {result(facts)}")


def rows(process, first, others):
    name = process.name
    while len(process.children) == 1 and not process.news and not process.text:
        process = process.children[0]
        name += f"─{process.name}"
    row = f"{first}{name}" + (f"  {process.text}" if process.text else "")
    yield row if len(row) <= WIDTH else f"{row[: WIDTH - 1]}…"
    below = [*process.news, *process.children]
    for place, item in enumerate(below):
        corner, rail = ("╰─", "  ") if place == len(below) - 1 else ("├─", "│ ")
        if isinstance(item, str):
            yield others + corner + item
        else:
            yield from rows(item, others + corner, others + rail)


def draw(lines):
    """The lines as dictionaries of logfmt values."""
    forest = Forest()
    for facts in lines:
        add_news(forest, facts)
    return "\n".join(row for process in forest.top.children for row in rows(process, "", ""))
