# Sourced by every night: installs what it needs, starts killsnoop, waits for what must happen, and takes away whatever
# the night made. What the lines must say is in checks.sh.
# shellcheck shell=bash
#
# A night is a test: it ends with 0 if every check held, 1 if one did not, 77 if this host cannot have it (SKIP, with the
# reason). With KILLSNOOP_PAGE=DIRECTORY it also writes its part of docs/who-killed-me.md there.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../common.sh"

NIGHT=$(basename "$0")
[ "$(id -u)" = 0 ] || exec sudo env ${CI:+CI=$CI} ${KILLSNOOP_BIN:+KILLSNOOP_BIN=$KILLSNOOP_BIN} "$0"
if [ -z "${KILLSNOOP_BIN:-}" ]; then
	set_up
	cargo_here build --release --locked --quiet
	KILLSNOOP_BIN=$ROOT_DIR/target/release/killsnoop
fi
# the programs are the distribution's, whatever else the caller has
PATH=/usr/sbin:/usr/bin:/sbin:/bin

WORK=$(mktemp -d)
echo $$ >"$WORK/pid"
export ROOT_DIR
# what programs of another user must reach
chmod 755 "$WORK"
# The cgroup under which a night makes all of its own, in every hierarchy that it needs; named as a slice, since below what
# is none of systemd's no unit is the host's.
CGROUP=/killsnoop-night-$$.slice
AT_END=()
TRACERS=()

# at_end COMMAND: to be run at the end, the last one first, whatever happened.
at_end() { AT_END+=("$1"); }

# A process, and all that descend from it.
tree_of() {
	echo "$1"
	local child
	for child in $(pgrep -P "$1"); do
		tree_of "$child"
	done
}

# Ends a process of this night with its descendants, and waits until it is gone.
end_process() {
	# shellcheck disable=SC2046
	kill -KILL $(tree_of "$1") 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

remove_cgroups() {
	local directory deadline=$((SECONDS + 3))
	until [ $SECONDS -ge $deadline ]; do
		# shellcheck disable=SC2046
		kill -KILL $(find /sys/fs/cgroup -path "*$CGROUP/*" -name cgroup.procs -exec cat {} + 2>/dev/null) 2>/dev/null
		# the deepest first
		find /sys/fs/cgroup -depth -type d -path "*$CGROUP*" -exec rmdir {} + 2>/dev/null || true
		directory=$(find /sys/fs/cgroup -type d -path "*$CGROUP" -print -quit)
		[ -n "$directory" ] || return 0
		sleep 0.02
	done
	say "$NIGHT: $directory could not be removed"
}

leave() {
	local status=$? i
	trap - EXIT INT TERM
	set +e
	for ((i = ${#AT_END[@]} - 1; i >= 0; i--)); do
		eval "${AT_END[i]}"
	done
	for tracer in "${TRACERS[@]}"; do
		end_process "$tracer"
	done
	remove_cgroups
	rm -rf "$WORK"
	exit $status
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# skip REASON WHY: this host cannot have this night. REASON is a word of tests/expected-skips.
skip() {
	echo "SKIP $NIGHT ($1): $2"
	exit 77
}

# need WHY COMMAND=PACKAGE…: installs the packages of the commands that are not there (a path may stand for a command). A service
# that a package brings is not started. In one line, at any depth: scripts/nights/all reads these lines, to announce what will be
# installed.
need() {
	local why=$1 package missing policy=/usr/sbin/policy-rc.d
	shift
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	for package in "${missing[@]}"; do
		[[ " ${KILLSNOOP_ANNOUNCED-$package} " = *" $package "* ]] || fail "$NIGHT: $package is needed, and was not announced"
	done
	if [ ! -e $policy ]; then
		at_end "rm -f $policy"
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod +x $policy
	fi
	install_packages "$why" "${missing[@]}"
}

need "a night's checks are jq's" jq=jq

# await WHAT COMMAND…: until the command succeeds; ten seconds are enough for nearly anything here.
await() {
	local what=$1 deadline=$((SECONDS + ${AWAIT_SECONDS:-10}))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || fail "$NIGHT: waited ${AWAIT_SECONDS:-10} seconds in vain for $what"
		sleep 0.02
	done
}

says() { grep -q -- "$2" "$1"; }
# Not by signal 0: other tools would show it among what they saw of the night.
is_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
# runs PID WORDS: it has exec'd what has these words in its command line.
runs() { tr '\0' ' ' <"/proc/$1/cmdline" | grep -q -- "$2"; }
# The first child of a process; nothing if it has none.
child_of() { pgrep -P "$1" | head -n 1 | grep .; }

# The title of a target is that of the last reading, and killsnoop reads them every two seconds, or more seldom: SIGCONT, which
# does nothing to a process that is not stopped, asks whether it knows this one by now.
title_is_read() { AWAIT_SECONDS=30 await "the title of $1 to be read" has_title "$1"; }
has_title() {
	kill -CONT "$1"
	sleep 0.3
	grep -q "target.pid=$1 .* target.title=" "$WORK/logfmt" &&
		jq --exit-status --null-input --argjson pid "$1" '[inputs | select(.target.pid == $pid and .target.title)] != []' "$WORK/json"
}

# Of what this runs nobody goes on before who runs has to wait: so a process is done with all that it signals before one
# of them has ended, and the trees are the same each time. Where real time is refused that is likely, no more.
on_one_cpu() {
	local cpu policy=(--fifo 1)
	cpu=$(taskset --cpu-list --pid $$ | sed 's/.*: //; s/[-,].*//')
	chrt "${policy[@]}" true 2>/dev/null || policy=(--batch 0)
	taskset --cpu-list "$cpu" chrt "${policy[@]}" "$@"
}

# title, happened, commands, others, nobody_knows: what the page says of this night, besides the lines.
title() { echo "$*" >"$WORK/title"; }
happened() { cat >"$WORK/happened"; }
commands() { cat >"$WORK/commands"; }
others() { cat >"$WORK/others"; }
nobody_knows() { cat >"$WORK/unknown"; }

# watch [FLAG…]: starts killsnoop, once for the checks (JSON) and once for the eyes (logfmt).
watch() {
	local format
	for format in json logfmt; do
		# a caller far below PID 1 would have the trees cut, and what is cut has no relation
		"$KILLSNOOP_BIN" --output $format --max-tree-depth 32 "$@" >"$WORK/$format" 2>"$WORK/$format.said" &
		TRACERS+=($!)
	done
	for format in json logfmt; do
		await "killsnoop to be ready" ready_or_dead "$WORK/$format.said" "${TRACERS[0]}"
		says "$WORK/$format.said" 'killsnoop: tracing, ' || fail "$NIGHT: killsnoop did not start: $(cat "$WORK/$format.said")"
	done
	[ -z "${KILLSNOOP_PAGE:-}" ] || watch_with_others
}
ready_or_dead() { says "$1" 'killsnoop: tracing, ' || is_gone "$2"; }

# Shows the lines as killsnoop printed them; the night is over.
over() {
	local tracer name
	for tracer in "${TRACERS[@]}"; do
		kill -TERM "$tracer" 2>/dev/null || true
		wait "$tracer" 2>/dev/null || true
	done
	need "a night's lines are looked up by a Python script" python3=python3
	[ ${#LINES[@]} = 0 ] || /usr/bin/python3 -B "$ROOT_DIR/scripts/nights/lib/page.py" lines "$WORK" "${LINES[@]}" ||
		wrong "a line of the JSON is not in the logfmt"
	if [ -n "${KILLSNOOP_PAGE:-}" ]; then
		stop_others
		/usr/bin/python3 -B "$ROOT_DIR/scripts/nights/lib/page.py" page "$WORK" "${LINES[@]}" >"$KILLSNOOP_PAGE/$NIGHT.md"
	fi
	if [ $FAILURES -gt 0 ]; then
		for name in "${LINES[@]}"; do
			say "the line '$name': $(jq --compact-output 'del(.source.parent, .target.parent)' "$WORK/line.$name")"
		done
		fail "$NIGHT: $FAILURES of its checks failed"
	fi
	say "$NIGHT: every check held"
}

# shellcheck source=scripts/nights/lib/checks.sh
source "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# Where the cgroup hierarchy of version 2 is; nothing if there is none.
unified() {
	local directory
	for directory in /sys/fs/cgroup /sys/fs/cgroup/unified; do
		[ ! -e $directory/cgroup.controllers ] || echo $directory
	done
}

# What others say of the same night, for the page only: they tax every system call of the host.
[ -z "${KILLSNOOP_PAGE:-}" ] || source "$(dirname "${BASH_SOURCE[0]}")/others.sh"
