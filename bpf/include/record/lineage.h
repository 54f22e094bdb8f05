/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who started whom. The parent of a process is the one that would wait for it now; the one that started it may be
 * gone, or another (CLONE_PARENT). A fork leaves the forker's key with the child; a forker that ends before what
 * it started leaves a ghost (identity/ghost.h). Here both are put together, from the process through the dead to
 * the living.
 */
#ifndef KILLSNOOP_RECORD_LINEAGE_H
#define KILLSNOOP_RECORD_LINEAGE_H

#include "identity/ghost.h"
#include "record/process.h"

#define SPAWNER_ROOM (sizeof(struct wire_spawner) + sizeof(struct wire_named) + GHOST_ARGV + 8)

/* To be called once for each process that was appended. */
static __always_inline void note_orphan(struct scratch *scratch, struct task_struct *parent)
{
	u32 place = scratch->processes, count = scratch->orphans;
	struct orphan *orphan;

	scratch->processes = place + 1;
	if (!scratch->spawner.tgid)
		return;
	if ((u32)parent->tgid == scratch->spawner.tgid && parent->start_boottime == scratch->spawner.start)
		return;
	if (count >= MAX_ORPHANS) {
		scratch->spawners_cut = 1;
		return;
	}
	orphan = &scratch->orphan[AT_MOST(MAX_ORPHANS - 1, count)];
	orphan->spawner = scratch->spawner;
	orphan->place = place;
	scratch->orphans = count + 1;
}

struct lineage_walk {
	struct scratch *scratch;
};

/* One spawner of the orphan at hand: its own takes its place, until one is not a ghost. */
static long append_spawner(u32 index __attribute__((unused)), void *context)
{
	struct lineage_walk *walk = context;
	struct scratch *scratch = walk->scratch;
	u32 turn = *(volatile u32 *)&scratch->orphan_at, at = *(volatile u32 *)&scratch->length & ~7U, kept;
	struct orphan *orphan = &scratch->orphan[AT_MOST(MAX_ORPHANS - 1, turn)];
	struct handover_key key = {};
	struct wire_process *process;
	struct wire_named *named;
	struct wire_spawner *spawner;
	struct spawner next = {};
	struct ghost *ghost;
	u8 *bytes;

	if (turn >= MAX_ORPHANS || turn >= *(volatile u32 *)&scratch->orphans)
		return 1;
	if (at > RECORD_MAX - SPAWNER_ROOM || *(volatile u32 *)&scratch->spawners >= MAX_SPAWNERS) {
		scratch->spawners_cut = 1;
		return 1;
	}
	key.start_time = *(volatile u64 *)&orphan->spawner.start;
	key.tgid = *(volatile u32 *)&orphan->spawner.tgid;
	spawner = (struct wire_spawner *)(scratch->record + at);
	named = (struct wire_named *)(spawner + 1);
	process = &named->process;
	bytes = (u8 *)(named + 1);
	spawner->of = orphan->place;
	spawner->flags = 0;
	spawner->argv_total = 0;
	spawner->argv_kept = 0;
	__builtin_memset(named, 0, sizeof(*named));
	process->start_time = key.start_time;
	process->tgid = key.tgid;
	process->flags = PROCESS_NAMED | PROCESS_UNKNOWN;
	/* what it ran when it started the other: if it lives, it may run another program now */
	process->exec_id = orphan->spawner.exec_id;
	ghost = bpf_map_lookup_elem(&ghosts, &key);
	kept = 0;
	if (ghost) {
		kept = ghost->argv_kept;
		spawner->flags = SPAWNER_EXITED;
		if (ghost->exec_id != orphan->spawner.exec_id)
			spawner->flags |= SPAWNER_EXECED_SINCE;
		process->flags = PROCESS_NAMED | ghost->flags;
		named->name.uid = ghost->uid;
		process->exec_id = ghost->exec_id;
		spawner->argv_total = ghost->argv_total;
		__builtin_memcpy(named->name.comm, ghost->comm, sizeof(named->name.comm));
		if (kept > GHOST_ARGV || bpf_probe_read_kernel(bytes, AT_MOST(GHOST_ARGV, kept), ghost->argv))
			kept = 0;
		spawner->argv_kept = kept;
		next = ghost->spawner;
		generation_barrier();
		/*
		 * The element of one that goes is used for another at once, without any grace. No key is put in twice:
		 * one that is still there has not been another meanwhile.
		 */
		if (!bpf_map_lookup_elem(&ghosts, &key)) {
			spawner->flags = SPAWNER_EXITED;
			__builtin_memset(named->name.comm, 0, sizeof(named->name.comm));
			process->flags = PROCESS_NAMED | PROCESS_UNKNOWN;
			spawner->argv_total = 0;
			spawner->argv_kept = 0;
			kept = 0;
			next.tgid = 0;
		}
		orphan->place = *(volatile u32 *)&scratch->processes;
		orphan->spawner = next;
	}
	scratch->length = at + sizeof(*spawner) + sizeof(*named) + PAD8(kept);
	scratch->processes++;
	scratch->spawners++;
	if (!next.tgid)
		scratch->orphan_at = turn + 1;
	return 0;
}

static __always_inline void begin_lineage(struct scratch *scratch)
{
	scratch->processes = 0;
	scratch->orphans = 0;
	scratch->orphan_at = 0;
	scratch->spawners = 0;
	scratch->spawners_cut = 0;
}

/* Behind everything else. */
static __always_inline void append_spawners(struct scratch *scratch, struct wire_signal *signal)
{
	struct lineage_walk walk = { .scratch = scratch };

	if (*(volatile u32 *)&scratch->orphans)
		BOUNDED_LOOP(MAX_SPAWNERS + 1, MAX_SPAWNERS + 1, append_spawner, &walk);
	signal->spawners = (u8)scratch->spawners;
	if (*(volatile u32 *)&scratch->spawners_cut)
		signal->flags |= SIGNAL_SPAWNERS_CUT;
}

#endif
