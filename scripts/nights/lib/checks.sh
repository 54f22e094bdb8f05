# Sourced by every night: what killsnoop's lines must say, as jq's programs about its JSON. A check that does not hold is printed, and
# counted: the others are made as well.
# shellcheck shell=bash

JQ_ARGUMENTS=()
LINES=()
FAILURES=0

# known NAME VALUE: what the night knows for certain (a pid, a count); $NAME in the checks.
known() { JQ_ARGUMENTS+=(--argjson "$1" "$2"); }

# What is being written at this moment is no JSON yet; it is there the next time.
matching() { jq --compact-output "${JQ_ARGUMENTS[@]}" "select($1)" "$WORK/json" 2>/dev/null || true; }

# line NAME WHAT CHECK: the first event for which the check holds, as soon as it is there; the checks that follow know it
# as $NAME, and it is shown. Without one the night has failed, and $NAME is null.
line() {
	local name=$1 what=$2 check=$3 event='' deadline=$((SECONDS + ${LINE_SECONDS:-5}))
	until event=$(matching "$check" | sed -n 1p) && [ -n "$event" ]; do
		if [ $SECONDS -ge $deadline ]; then
			event=null
			wrong "no line reports $what: $check"
			break
		fi
		sleep 0.05
	done
	JQ_ARGUMENTS+=(--argjson "$name" "$event")
	[ "$event" = null ] || LINES+=("$name")
	printf '%s\n' "$event" >"$WORK/line.$name"
	printf '%s\n' "$what" >"$WORK/what.$name"
}

# must NAME WHAT CHECK: what a line says must be so.
must() {
	local name=$1 what=$2 check=$3
	printf '%s\n' "$check" >>"$WORK/checks"
	if [ "$(cat "$WORK/line.$name")" = null ]; then
		return
	fi
	jq --exit-status "${JQ_ARGUMENTS[@]}" "$check" "$WORK/line.$name" >/dev/null 2>&1 ||
		wrong "the line '$name' does not say $what: $check"
}

# count WHAT NUMBER CHECK: so many events, and no more.
count() {
	local what=$1 number=$2 check=$3
	await_count "$number" "$check" || true
	local found
	found=$(matching "$check" | wc -l)
	[ "$found" = "$number" ] || wrong "$found lines report $what, not $number: $check"
}
await_count() {
	local deadline=$((SECONDS + 5))
	until [ "$(matching "$2" | wc -l)" -ge "$1" ]; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.05
	done
}

wrong() {
	say "$NIGHT: FAILED: $*"
	FAILURES=$((FAILURES + 1))
}
