/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The types that user space has from here: its own are generated from the object's type information.
 */
#ifndef KILLSNOOP_BASE_WIRE_TYPES_H
#define KILLSNOOP_BASE_WIRE_TYPES_H

#include "base/counters.h"
#include "base/loss.h"
#include "base/settings.h"
#include "wire/repeat.h"
#include "wire/wire.h"

/*
 * Nothing reads this: it puts the wire structs and enums into the object's type information, from which
 * user space's own are generated, so that there is no second copy to keep in step.
 */
struct wire_types {
	struct wire_signal signal;
	struct wire_named named;
	struct wire_image image;
	enum wire_image_flag image_flag;
	struct wire_end end;
	struct wire_request request;
	struct wire_oom oom;
	struct wire_limits limits;
	struct wire_attempt attempt;
	struct wire_cgroup cgroup;
	struct wire_title title;
	struct wire_spawner spawner;
	struct wire_previous previous;
	enum wire_previous_flag previous_flag;
	enum child_death_shift child_death_shift;
	enum wire_spawner_flag spawner_flag;
	enum legacy_controller legacy_controller;
	enum map_size map_size;
	enum select_key select_key;
	struct select_value select_value;
	enum wire_constant constant;
	enum wire_kind kind;
	enum wire_info info;
	enum wire_abi abi;
	enum wire_disposition disposition;
	enum wire_signal_flag signal_flag;
	enum wire_behind behind;
	enum wire_process_flag process_flag;
	enum hidden_class hidden_class;
	enum reader_state reader_state;
	enum owner_kind owner_kind;
	struct loss_key loss_key;
	struct loss loss;
	struct repeat_key repeat_key;
	struct repeat repeat;
	enum task_constant task_constant;
	enum signal_number signal_number;
	enum siginfo_code siginfo_code;
	enum call_x86_64 call_x86_64;
	enum call_i386 call_i386;
	enum call_arm64 call_arm64;
	enum call_arm call_arm;
	enum pidfd_flag pidfd_flag;
};
const volatile struct wire_types wire_types = {};

#endif
