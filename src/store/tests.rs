//! What goes into a store comes out of it.

use std::ops::ControlFlow;
use std::path::Path;

use super::shape::tests::fixtures;
use super::*;

fn facts() -> RunFacts {
    RunFacts { boot: "b".to_owned(), ..RunFacts::default() }
}

fn writer(directory: &Path) -> Writer {
    Writer::open(directory, None, None, &facts()).unwrap().0
}

fn all(directory: &Path, query: &Query, order: Order) -> Vec<String> {
    let mut lines = Vec::new();
    Reader::open(directory)
        .unwrap()
        .each(query, order, |event| {
            lines.push(event.json);
            ControlFlow::Continue(())
        })
        .unwrap();
    lines
}

#[test]
fn events_come_out_byte_for_byte() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("store");
    let mut writer = writer(&directory);
    let lines: Vec<String> = fixtures().into_iter().cycle().take(1000).collect();
    for line in &lines {
        writer.put(line).unwrap();
    }
    assert_eq!(writer.commit().unwrap(), 1000);
    assert_eq!(all(&directory, &Query::default(), Order::OldestFirst), lines);
    writer.finish("stopped").unwrap();
    let mut backwards = all(&directory, &Query::default(), Order::NewestFirst);
    backwards.reverse();
    assert_eq!(backwards, lines);
    let verified = verify(&directory).unwrap();
    assert_eq!((verified.events, verified.problems), (1000, Vec::new()));
}
