# Sourced by the nights when the page is made: what dmesg, bcc's killsnoop and the audit subsystem say of the same night.
# shellcheck shell=bash
#
# bcc's own killsnoop needs the kernel's headers and a compiler at run time; bpftrace's is its port, with the same columns. The audit
# records are the kernel's, which auditd only writes down: without one they are in the kernel log.

need "the page compares with killsnoop.bt and with audit records" bpftrace=bpftrace killsnoop.bt=bpftrace auditctl=auditd
[ -e /sys/kernel/tracing/events ] || mount -t tracefs nodev /sys/kernel/tracing
auditctl -s | grep -q '^pid 0' || fail "the page is made where no auditd runs: its records would not be in the kernel log"

MARK=killsnoop-night-$$
# shellcheck disable=SC2054
AUDIT_RULE=(always,exit -F arch=b64 -S "kill,tkill,tgkill,rt_sigqueueinfo,rt_tgsigqueueinfo,pidfd_send_signal" -k killed)
# each BPF program that anybody loads is recorded as well
# shellcheck disable=SC2054
NOT_AUDITED=(never,exclude -F msgtype=BPF)

watch_with_others() {
	killsnoop.bt >"$WORK/killsnoop.bt" 2>"$WORK/killsnoop.bt.said" &
	TRACERS+=($!)
	BPFTRACE=$!
	await "killsnoop.bt" says "$WORK/killsnoop.bt" '^TIME'
	local ratelimit backlog
	ratelimit=$(sysctl --values kernel.printk_ratelimit)
	backlog=$(audit_status backlog_limit)
	at_end "sysctl --quiet kernel.printk_ratelimit=$ratelimit"
	at_end "auditctl -e 0 >/dev/null; auditctl -D -k killed >/dev/null; auditctl -d ${NOT_AUDITED[*]} >/dev/null; auditctl -b $backlog >/dev/null"
	sysctl --quiet kernel.printk_ratelimit=0
	auditctl -b 8192 >/dev/null
	# as they come: the kernel log is a ring, and others of this host are written down as well
	/usr/bin/python3 -B "$ROOT_DIR/scripts/nights/lib/kernel_log.py" >"$WORK/kernel" &
	LOG_READER=$!
	at_end 'end_process $LOG_READER'
	await "the reader of the kernel log" caught_up begin
	AUDIT_LOST=$(audit_status lost)
	auditctl -a "${AUDIT_RULE[@]}" >/dev/null
	auditctl -a "${NOT_AUDITED[@]}" >/dev/null
	auditctl -e 1 >/dev/null
}
audit_status() { auditctl -s | sed -n "s/^$1 //p"; }
# what was in the kernel log before this has been read
caught_up() { echo "$MARK $1" >/dev/kmsg && sleep 0.1 && says "$WORK/kernel" "$MARK $1"; }

stop_others() {
	auditctl -e 0 >/dev/null
	# the queue of records goes to the kernel log by a thread of its own
	await "the audit queue to be empty" audit_is_quiet
	[ "$(audit_status lost)" = "$AUDIT_LOST" ] || wrong "audit records were lost: what the page says of auditd is not all"
	await "the reader of the kernel log" caught_up end
	end_process "$LOG_READER"
	! says "$WORK/kernel" "^records were overwritten" || wrong "the kernel log ran over: what the page says of it is not all"
	kill -INT "$BPFTRACE" 2>/dev/null || true
	wait "$BPFTRACE" 2>/dev/null || true
}
audit_is_quiet() { [ "$(audit_status backlog)" = 0 ]; }
