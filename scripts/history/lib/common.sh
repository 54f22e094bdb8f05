# Sourced by every situation: records into a store, lets the situation make something happen, asks afterwards, and compares.
# shellcheck shell=bash
#
# A situation ends with 0 if every answer was as it says, 1 if not, 77 if this host cannot have it. Programs of services are
# stand-ins: copies of bash, sleep and true under the names of what they stand for, in a directory of the situation's own. With
# KILLSNOOP_PAGE=FILE it appends its part of docs/history.md there.
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../common.sh"

SITUATION=$(basename "$0")
[ "$(id -u)" = 0 ] || exec sudo env ${KILLSNOOP_BIN:+KILLSNOOP_BIN=$KILLSNOOP_BIN} ${KILLSNOOP_PAGE:+KILLSNOOP_PAGE=$KILLSNOOP_PAGE} "$0"
: "${KILLSNOOP_BIN:=$ROOT_DIR/target/release/killsnoop}"
WORK=$(mktemp -d)
export WORK
STORE=$WORK/store
mkdir "$WORK/bin"
PATH=$WORK/bin:/usr/sbin:/usr/bin:/sbin:/bin
RECORDER='' FAILURES=0 AT_END=()

# kill_all: every process that the situation started, orphans too: each has WORK in its environment.
kill_all() {
	local mark="WORK=$WORK" pids
	# not for what is called here
	export -n WORK
	while :; do
		# grep fails at what ends meanwhile
		pids=$({ grep -lzsxF -- "$mark" /proc/[0-9]*/environ || true; } | cut -d/ -f3)
		[ -n "$pids" ] || return 0
		# shellcheck disable=SC2086
		kill -KILL $pids 2>/dev/null
		sleep 0.02
	done
}

# An orphan that is left would hold the pipe that the output goes to, and who reads that would wait for it.
leave() {
	local status=$? command
	trap - EXIT
	set +e
	if [ -n "$RECORDER" ] && kill -INT "$RECORDER" 2>/dev/null; then timeout 20 tail --pid="$RECORDER" -f /dev/null; fi
	# shellcheck disable=SC2046
	kill -KILL $(jobs -p) 2>/dev/null
	kill_all
	wait 2>/dev/null
	for command in "${AT_END[@]}"; do eval "$command"; done
	rm -rf "$WORK"
	exit "$status"
}
trap leave EXIT

# skip WHY: this host cannot have this situation.
skip() {
	echo "SKIP $SITUATION: $1"
	exit 77
}

await() {
	local what=$1 deadline=$((SECONDS + 60))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || fail "$SITUATION: waited in vain for $what"
		sleep 0.02
	done
}

# stand_in PROGRAM NAME…: copies of a program under other names.
stand_in() {
	local program=$1 name
	shift
	for name in "$@"; do cp "$(PATH=/usr/bin:/bin type -P "$program")" "$WORK/bin/$name"; done
}

title() { TITLE=$*; }
happened() { HAPPENED=$(cat); }
unknown() { UNKNOWN=$(cat); }

record() {
	# what one before it said
	rm -f "$WORK/recorder"
	"$KILLSNOOP_BIN" record --store "$STORE" --keep-free 0 "$@" >"$WORK/recorder" 2>&1 &
	RECORDER=$!
	await "the recorder" grep -q 'killsnoop: tracing, ' "$WORK/recorder"
}

# over: everything that happened is in the store, which gets what is new once a second, in its order: a death of now is behind it.
over() {
	local marker
	sleep 0.2
	sleep 1000 &
	marker=$!
	kill -KILL $marker
	wait $marker 2>/dev/null || true
	await "the store" "$KILLSNOOP_BIN" log --pid $marker --deaths --store "$STORE"
}

# stop: nobody records any more.
stop() {
	kill -INT "$RECORDER"
	await "the end of the recorder" is_gone "$RECORDER"
	RECORDER=''
}

is_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
runs() { [ "$(cat "/proc/$1/comm")" = "$2" ]; }

# handles PID NUMBER: it has a handler for this signal.
handles() { (((0x$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status") >> ($2 - 1)) & 1)); }

# in_unit UNIT COMMAND…: in a cgroup that names a unit of the host, where the hierarchy of version 2 can be written; its pid is UNIT_PID.
in_unit() {
	local unit=$1 unified=/sys/fs/cgroup
	shift
	[ -e $unified/cgroup.controllers ] || unified=/sys/fs/cgroup/unified
	local directory=$unified/system.slice/$unit
	mkdir -p "$directory" 2>/dev/null || skip "no cgroup of version 2 can be made here"
	AT_END+=("sleep 0.1; rmdir $directory 2>/dev/null; rmdir ${directory%/*} 2>/dev/null")
	(
		echo "$BASHPID" >"$directory/cgroup.procs"
		exec "$@"
	) &
	UNIT_PID=$!
	await "$1 to run" runs $UNIT_PID "$1"
}

# ask ARGUMENT…: one command, as it is typed; its answer is in ANSWER, its exit code in CODE. The first is kept for the page.
ask() {
	CODE=0
	ANSWER=$(TZ=UTC "$KILLSNOOP_BIN" "$@" --store "$STORE" 2>&1) || CODE=$?
	ASKED="killsnoop $*"
	if [ -z "${SHOWN:-}" ]; then SHOWN="\$ $ASKED"$'\n'"$ANSWER"; fi
}

wrong() {
	FAILURES=$((FAILURES + 1))
	printf '%s: %s\n%s (%s)\n%s\n' "$SITUATION" "$1" "$ASKED" "$CODE" "$ANSWER" >&2
}
says() { grep -qE -- "$1" <<<"$ANSWER" || wrong "the answer does not say: $1"; }
says_not() { ! grep -qE -- "$1" <<<"$ANSWER" || wrong "the answer must not say: $1"; }
code() { [ "$CODE" = "$1" ] || wrong "the exit code is not $1"; }

answered() {
	if [ -n "${KILLSNOOP_PAGE:-}" ]; then
		# where the files of a situation are says nothing, and what is above it is this machine's alone
		SHOWN=$(sed -E "s/^( +)[^ ]*─([^─]*\($$\)─)/\1…─\2/; s/^( +)[^ ─]*\(1\)─/\1init(1)─/" <<<"${SHOWN//$WORK\/bin\//}")
		{
			printf '\n## %s\n\n%s\n\n```text\n%s\n```\n' "$TITLE" "$HAPPENED" "$SHOWN"
			[ -z "${UNKNOWN:-}" ] || printf '\n%s\n' "$UNKNOWN"
		} >>"$KILLSNOOP_PAGE"
	fi
	[ $FAILURES = 0 ] || fail "$SITUATION: $FAILURES of its checks failed"
	say "$SITUATION: every answer was right"
}
