//! A process that wants to leave the tree that is traced: a thread of it execs when its leader is gone, behind so many others
//! that what its leader left has been pushed out.

use super::make;
use support::Tracer;

use crate::Test;

pub const TESTS: &[Test] = &[("who_execs_behind_many_that_ended_is_in_the_tree_still", &[], behind_many)];

fn behind_many() {
    let tracer = Tracer::json(&["--tree", &std::process::id().to_string()]);
    let (_made, target, sender) = make("thread-behind-many");
    let event = tracer.signal_to(target, 15);
    assert_eq!(
        (&event["source"]["pid"], &event["source"]["cmdline"][1]),
        (&sender.into(), &"send".into()),
        "{event}"
    );
}
