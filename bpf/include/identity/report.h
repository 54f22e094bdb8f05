/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process image is reported once: its bytes go from where they are kept straight into the ring, when a record first needs
 * them, and the records refer to it by process and exec id.
 *
 * The order. The image is put into the ring first; then identity.reported becomes the state of which it was: the generation of
 * the identity and the reader's epoch, both read before. A record refers to an image only after it has seen that very state
 * there, and takes its place in the ring after that. So an image lies before every record that relies on the mark, whatever
 * other CPUs do meanwhile: two that come first at once both put it there. One that is preempted between the image and the mark
 * (7.x, PREEMPT_RT) holds up nobody: the others see no mark. If an exec, or the reader with another epoch, comes in between, the
 * mark that it then sets is of a state that is over, and nobody believes it.
 *
 * No mixture gets into the ring: the bytes are copied to room that is reserved there, and that is given up if the generation
 * is another afterwards. (bpf_ringbuf_output() would have copied and committed in one step.)
 *
 * The name of a process, its comm and uid, changes without an exec. A record leaves it out where it is that of the image
 * of the same epoch, so of all images of a state only one may stand for the name: that of the CPU which claimed the mark. What is
 * put there by another meanwhile is not NAMED. Whoever is not sure writes the name.
 */
#ifndef KILLSNOOP_IDENTITY_REPORT_H
#define KILLSNOOP_IDENTITY_REPORT_H

#include "base/admission.h"
#include "identity/lookup.h"

/* identity.reported: somebody is reporting it. No state: a generation that is read is even. */
#define REPORT_CLAIMED (~0ULL)

/* The bytes of the environment variables asked for; the flags say what of them is lost. */
static __always_inline u32 environment_kept(const struct identity_handle *found, struct wire_image *image)
{
	struct {
		u32 kept;
		u32 flags;
	} head = {};

	if (!settings.variables)
		return 0;
	if (!found->environment) {
		/* the seeding covers every process, or has not come to this one */
		if (found->seeded)
			image->flags |= PROCESS_ENV_LOST;
		return 0;
	}
	bpf_probe_read_kernel(&head, sizeof(head), (void *)found->environment);
	image->flags |= head.flags;
	if (head.kept > ENVIRONMENT_BYTES) {
		image->flags |= PROCESS_ENV_LOST;
		return 0;
	}
	return head.kept;
}

/* `size`, a constant, is what is reserved: enough for `bytes`, and the largest environment if there is one. */
static __always_inline int put_image_of(const struct identity_handle *found, const struct wire_named *of,
					u32 image_flags, u32 bytes, const u32 size)
{
	struct wire_image *image = bpf_ringbuf_reserve(&records, size, 0);
	const u32 room = size - sizeof(*image);
	const u32 first = room < ARGV_LARGE_BYTES ? room : ARGV_LARGE_BYTES;
	const u32 rest = room - first < ARGV_LARGE_BYTES ? room - first : ARGV_LARGE_BYTES;
	u32 kept = 0, at;
	s64 failed;
	u8 *to;

	if (!image)
		return 0;
	image->version = WIRE_VERSION;
	image->kind = RECORD_IMAGE;
	image->start_time = of->process.start_time;
	image->tgid = of->process.tgid;
	image->exec_id = of->process.exec_id;
	image->flags = found->flags | (found->seeded ? PROCESS_SEEDED : 0);
	image->argv_total = found->argv_total;
	image->argv_kept = (u16)found->argv_kept;
	image->exe_kept = (u16)found->exe_kept;
	image->epoch = (u16)(found->state >> 32);
	image->uid = of->name.uid;
	image->image_flags = image_flags;
	__builtin_memcpy(image->comm, of->name.comm, sizeof(image->comm));
	to = (u8 *)(image + 1);
	failed = bpf_probe_read_kernel(to, AT_MOST(first, bytes), (void *)found->argv);
	if (rest && bytes > ARGV_LARGE_BYTES)
		failed |= !found->tail ||
			  bpf_probe_read_kernel(to + ARGV_LARGE_BYTES,
						AT_MOST(rest, bytes - ARGV_LARGE_BYTES), (void *)found->tail);
	if (settings.variables && room >= ENVIRONMENT_BYTES) {
		kept = environment_kept(found, image);
		at = AT_MOST(room - ENVIRONMENT_BYTES, bytes);
		if (kept)
			failed |= bpf_probe_read_kernel(
				to + at, AT_MOST(ENVIRONMENT_BYTES, kept),
				(void *)found->environment + __builtin_offsetof(struct environment, bytes));
	}
	image->environment_kept = (u16)kept;
	image->length = sizeof(*image) + bytes + kept;
	if (failed || !is_unchanged(found)) {
		bpf_ringbuf_discard(image, BPF_RB_NO_WAKEUP);
		return 0;
	}
	bpf_ringbuf_submit(image, BPF_RB_NO_WAKEUP);
	return (int)size;
}

/* Puts the image into the ring; its bytes there, or 0: there is no room, or it changed meanwhile. */
BPF_GLOBAL_FUNC int put_image(struct identity_handle *found, struct wire_named *of, u32 image_flags)
{
	u32 bytes, needed;

	if (!found || !of || !found->argv || found->generation & 1)
		return 0;
	bytes = found->argv_kept + found->exe_kept;
	needed = bytes;
	if (settings.variables)
		needed += ENVIRONMENT_BYTES;
	needed += sizeof(struct wire_image);
	/* what is reserved must be a number that the verifier knows */
	if (!settings.variables) {
		if (needed <= 192)
			return put_image_of(found, of, image_flags, bytes, 192);
		if (needed <= 320)
			return put_image_of(found, of, image_flags, bytes, 320);
		if (needed <= 640)
			return put_image_of(found, of, image_flags, bytes, 640);
		if (needed <= 1280)
			return put_image_of(found, of, image_flags, bytes, 1280);
	}
	if (needed <= 2560)
		return put_image_of(found, of, image_flags, bytes, 2560);
	if (needed <= 5120)
		return put_image_of(found, of, image_flags, bytes, 5120);
	if (needed <= 10240)
		return put_image_of(found, of, image_flags, bytes, 10240);
	return put_image_of(found, of, image_flags, bytes,
			    sizeof(struct wire_image) + ARGV_MAX + ENVIRONMENT_BYTES);
}

/*
 * Reports the image that was found of a process; false: it could not be. `identity` is where it was found, or NULL where that is
 * another process's. `candidate` is the record that will refer to it: it pays. Whether it is admitted was asked before: the
 * two together would take more of the stack than there is.
 */
BPF_GLOBAL_FUNC int report_image(struct identity_handle *found, struct identity *identity,
				 struct wire_named *of, struct candidate *candidate, u32 is_admitted)
{
	struct counters *counters = cpu_counters();
	u64 before, claimed = 0;
	u32 length = 0;

	if (!found || !of || !candidate || !counters)
		return 0;
	if (identity) {
		before = *(volatile u64 *)&identity->reported;
		/* by another CPU, since it was looked at */
		if (before == found->state)
			return 1;
		claimed = before != REPORT_CLAIMED &&
			  __sync_val_compare_and_swap(&identity->reported, before, REPORT_CLAIMED) == before;
	}
	if (is_admitted)
		length = (u32)put_image(found, of, claimed ? IMAGE_NAMED : 0);
	if (claimed && identity) {
		__builtin_memcpy(identity->reported_comm, of->name.comm, sizeof(of->name.comm));
		identity->reported_uid = of->name.uid;
		/* a full barrier: the name is there before the mark */
		__sync_lock_test_and_set(&identity->reported, length ? found->state : 0);
	}
	if (!length) {
		COUNT(counters->images_dropped);
		return 0;
	}
	COUNT(counters->images_emitted);
	charge(candidate, length);
	return 1;
}

#endif
