/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who asks another program to act on processes: systemctl, docker, kubectl. Such a command is executed, and the signal that
 * it asks for comes from a service manager or a container runtime, which names nobody. So its exec is recorded, by the
 * name that the new image has, with its tree.
 */
#ifndef KILLSNOOP_HOOKS_REQUEST_H
#define KILLSNOOP_HOOKS_REQUEST_H

#include "base/hook_copy.h"
#include "base/loss.h"
#include "record/ascent.h"
#include "record/subject.h"
#include "signal/select.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, REQUEST_COMMS);
	__type(key, struct comm_key);
	__type(value, u8);
} request_comms SEC(".maps");

/*
 * Where the exec hook builds the record: two elements per CPU, one for each of its copies, where requests are asked for.
 */
#define REQUEST_MAX (3 * 1024)
struct request_scratch {
	u32 length;
	u32 reserved;
	struct identity_handle found;
	struct spawner spawner; /* not asked for */
	struct candidate candidate;
	u8 record[REQUEST_MAX] __attribute__((aligned(8)));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct request_scratch);
} request_scratches SEC(".maps");

struct request_walk {
	struct request_scratch *scratch;
	struct ascent ascent;
};

static long append_request_ancestor(u32 index, void *context)
{
	struct request_walk *walk = context;
	struct request_scratch *scratch = walk->scratch;

	return ascend(&walk->ascent, index, BY_LOADS, scratch->record, REQUEST_MAX, &scratch->length,
		      &scratch->found, &scratch->spawner, &scratch->candidate);
}

static __always_inline bool is_request(struct task_struct *task)
{
	struct comm_key key = {};

	if (!settings.requests)
		return false;
	bpf_probe_read_kernel_str(key.comm, sizeof(key.comm), task->comm);
	return bpf_map_lookup_elem(&request_comms, &key) != NULL;
}

/* False: there is no room. */
static __always_inline bool emit_request(struct request_scratch *scratch, struct task_struct *task)
{
	struct wire_request *request = (struct wire_request *)scratch->record;
	struct task_struct *parent = task->real_parent->group_leader;
	struct request_walk walk = {};
	u32 length;

	if (!is_admitted(&scratch->candidate, task, ORDINARY))
		return false;
	request->version = WIRE_VERSION;
	request->kind = RECORD_REQUEST;
	request->time = bpf_ktime_get_boot_ns();
	scratch->length = sizeof(*request);
	outline_task(&request->task, AS_NUMBER(&scratch->found.mm, task));
	if (!append_subject_image(scratch->record, REQUEST_MAX, &scratch->length, task, task, &scratch->found,
				  &scratch->spawner, &scratch->candidate))
		return false;
	append_rest(scratch->record, REQUEST_MAX, &scratch->length, &request->task, task);
	/* not before: the verifier would follow both along all branches above */
	walk.scratch = scratch;
	walk.ascent.next = parent;
	BOUNDED_LOOP(MAX_ANCESTORS + 1, MAX_ANCESTORS + 1, append_request_ancestor, &walk);
	request->processes = 1 + walk.ascent.count;
	request->truncated = walk.ascent.truncated;
	length = *(volatile u32 *)&scratch->length;
	request->length = length;
	if (bpf_ringbuf_output(&records, scratch->record, AT_MOST(REQUEST_MAX, length), BPF_RB_NO_WAKEUP))
		return false;
	charge(&scratch->candidate, length);
	return true;
}

/* `task` is current, the leader of its process, and has just exec'd. */
static __always_inline void see_request(struct task_struct *task, struct counters *counters,
					enum hook_copy copy)
{
	u32 slot = 2 * bpf_get_smp_processor_id() + copy;
	struct request_scratch *scratch;

	if (!is_request(task))
		return;
	scratch = bpf_map_lookup_elem(&request_scratches, &slot);
	if (!scratch)
		return;
	if (emit_request(scratch, task)) {
		COUNT(counters->requests_emitted);
	} else {
		note_loss(AS_NUMBER(&scratch->found.mm, task));
		COUNT(counters->requests_dropped);
	}
	wake_reader(counters);
}

#endif
