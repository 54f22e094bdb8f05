//! Stories of made-up stores.

use super::*;
use crate::base::zone::Zone;
use crate::output::format::screen::{PLAIN, Screen};
use crate::output::read;
use crate::past::target::Target;
use crate::past::walk::tests::{end, request, signal, store};

const TERM: (u8, &str) = (15, "SIGTERM");
const KILL: (u8, &str) = (9, "SIGKILL");

fn search(name: &str) -> Search {
    Search { targets: vec![vec![name.parse::<Target>().unwrap()]], ..Search::default() }
}

fn story_of(lines: &[String], name: &str) -> String {
    let (_directory, reader) = store(lines);
    let end = newest_end(&reader, &search(name)).unwrap().unwrap();
    let now = end.time + 8 * 3600 * SECOND;
    let story = Story::of(&reader, end, now).unwrap();
    let mut out = Vec::new();
    write(&story, None, Screen { zone: Zone::Utc, ..PLAIN }, now, &mut out);
    String::from_utf8(out).unwrap()
}

/// Started by the process that has this pid and key.
fn below(line: &str, pid: u32) -> String {
    let parent = format!(r#","parent":{{"pid":{pid},"comm":"x","key":"{pid}@1"}}}}}}"#);
    format!("{}{parent}", line.strip_suffix("}}").unwrap())
}

#[test]
fn signals_come_in_their_order_and_the_end_with_the_one_it_came_of() {
    let text = story_of(
        &[
            signal(1, 7, TERM, (1, "systemd"), (812, "nginx")),
            signal(2, 17, KILL, (1, "systemd"), (812, "nginx")),
            end(3, 17, KILL, 2, (812, "nginx")),
        ],
        "nginx",
    );
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].ends_with("nginx(812) was killed by SIGKILL, Thu 2026-11-26 02:12:17 UTC, 8 h ago"),
        "{text}"
    );
    assert!(lines[1].contains("02:12:07.000Z  TERM  systemd(1) → nginx(812)"), "{text}");
    assert!(
        lines[2].contains("02:12:17.000Z  KILL  systemd(1) → nginx(812)   killed after 500 ms"),
        "{text}"
    );
    assert!(lines[3].starts_with("  victim   nginx   up 2 h"), "{text}");
    assert!(lines[4].starts_with("  sender   systemd"), "{text}");
    assert_eq!(lines.len(), 5, "{text}");
}

#[test]
fn the_newest_end_that_fits_is_answered_and_none_of_others() {
    let lines = [
        signal(1, 1, TERM, (7, "bash"), (9, "yes")),
        end(2, 1, TERM, 1, (9, "yes")),
        signal(3, 2, TERM, (7, "bash"), (10, "yes")),
        end(4, 2, TERM, 3, (10, "yes")),
        signal(5, 3, TERM, (7, "bash"), (11, "cat")),
        end(6, 3, TERM, 5, (11, "cat")),
    ];
    assert!(story_of(&lines, "yes").starts_with("yes(10) was killed"));
    assert!(story_of(&lines, "9").starts_with("yes(9) was killed"));
    assert!(story_of(&lines, "9@1").starts_with("yes(9) was killed"));
    let (_directory, reader) = store(&lines);
    for name in ["dog", "9@2", "12"] {
        assert!(newest_end(&reader, &search(name)).unwrap().is_none(), "{name}");
    }
    let by = Search { senders: vec!["bash".parse().unwrap()], ..Search::default() };
    assert_eq!(newest_end(&reader, &by).unwrap().unwrap().document.header().id, Some(6));
}

#[test]
fn an_end_that_was_lost_leaves_the_signal_it_came_of_and_says_so() {
    let fatal =
        signal(1, 1, KILL, (7, "bash"), (9, "yes")).replace("\"queued\"", "\"queued\",\"fatal\":true");
    let text = story_of(&[fatal], "yes");
    assert!(text.starts_with("bash(7) sent SIGKILL to yes(9); its end was not recorded, Thu"), "{text}");
    assert!(text.contains("KILL  bash(7) → yes(9)   killed"), "{text}");
}

#[test]
fn what_followed_is_counted_and_nothing_of_others_is() {
    let later = |line: String| line.replace("2026-11-26T00:12:07", "2026-11-26T02:12:30");
    let lines = [
        signal(1, 1, TERM, (7, "pkill"), (9, "yes")),
        signal(2, 1, TERM, (7, "pkill"), (12, "cat")),
        end(3, 1, TERM, 1, (9, "yes")),
        below(&end(4, 2, TERM, 0, (20, "worker")), 9),
        // another program, and the same one that ran before
        end(5, 40, TERM, 0, (21, "dog")),
        end(6, 40, TERM, 0, (22, "yes")),
        later(end(7, 41, TERM, 0, (23, "yes"))),
    ];
    let text = story_of(&lines, "9");
    assert!(text.contains("at that time pkill(7) signalled 1 other as well: cat(12)\n"), "{text}");
    assert!(text.contains("below it ended: worker(20)\n"), "{text}");
    assert!(text.contains("since then yes ended once, last as yes(23): killsnoop log yes --since \"2026-11-26 02:12:01 UTC\""), "{text}");
}

#[test]
fn commands_that_name_it_come_before_its_signals_and_are_no_proof() {
    let victim = |line: String| {
        line.replace("\"comm\":\"nginx\"", "\"comm\":\"nginx\",\"systemd\":{\"unit\":\"nginx.service\"}")
    };
    let lines = [
        request(1, 1, 4409, &["systemctl", "stop", "nginx"]),
        request(2, 7, 4410, &["systemctl", "restart", "apache2"]),
        request(3, 7, 4411, &["systemctl", "restart", "nginx.service"]),
        victim(signal(4, 8, TERM, (1, "systemd"), (812, "nginx"))),
        victim(signal(5, 50, KILL, (1, "systemd"), (812, "nginx"))),
        victim(end(6, 50, KILL, 5, (812, "nginx"))),
        request(7, 51, 4412, &["systemctl", "start", "nginx.service"]),
    ];
    let text = story_of(&lines, "nginx");
    let expected = "  02:12:07.100Z  systemctl restart nginx.service   by needrestart(4), apt-daily-upgrade.service   (before it; not proof)";
    assert_eq!(text.lines().nth(1), Some(expected), "{text}");
    assert_eq!(text.matches("systemctl").count(), 1, "{text}");
}

#[test]
fn who_came_long_before_is_no_part_of_the_story() {
    let hangup = signal(1, 1, (1, "SIGHUP"), (5, "logrotate"), (9, "yes")).replace("T02:", "T00:");
    let lines = [hangup, signal(2, 1, KILL, (7, "bash"), (9, "yes")), end(3, 1, KILL, 2, (9, "yes"))];
    assert!(!story_of(&lines, "yes").contains("logrotate"));
}

#[test]
fn a_command_names_a_process_by_its_unit_container_pid_or_program_and_no_other() {
    let target = r#"{"pid":812,"comm":"nginx","exe":"/usr/sbin/nginx","key":"812@5","systemd":{"unit":"nginx.service"}}"#;
    let boxed =
        r#"{"pid":9,"comm":"java","key":"9@5","container":{"id":"4b5e57f6eb2f00aa","runtime":"docker"}}"#;
    let pod = r#"{"pid":9,"comm":"java","key":"9@5","uts":{"nodename":"shop-1"},"k8s":{"pod":{"uid":"u"}}}"#;
    for (command, target, expected) in [
        ("systemctl restart nginx.service", target, Some(Link::Names)),
        ("systemctl restart nginx", target, Some(Link::Names)),
        ("systemctl stop nginx*", target, Some(Link::Names)),
        ("systemctl restart nginx-extras.service", target, None),
        ("systemctl --kill-whom=main restart apache2", target, None),
        ("systemctl reboot", target, Some(Link::Host)),
        ("/sbin/shutdown -r now", target, Some(Link::Host)),
        ("shutdown -c", target, None),
        ("nginx -s stop", target, Some(Link::Names)),
        ("nginx -t", target, None),
        ("service nginx stop", target, Some(Link::Names)),
        ("runc kill 4b5e57f6eb2f00aa TERM", boxed, Some(Link::Names)),
        ("docker kill 4b5e57f6eb2f", boxed, Some(Link::Names)),
        ("docker stop web", boxed, Some(Link::Perhaps)),
        ("docker ps", boxed, None),
        ("docker stop web", target, None),
        ("kubectl delete pod/shop-1", pod, Some(Link::Names)),
        ("kubectl delete pod/shop-12", pod, None),
    ] {
        let words: Vec<String> = command.split(' ').map(|word| format!("\"{word}\"")).collect();
        let event = format!(
            r#"{{"event":"signal","source":{{"pid":1,"cmdline":[{}]}},"target":{target}}}"#,
            words.join(",")
        );
        let event = read::document(&event).unwrap();
        assert_eq!(request::link(&event, event.object("target").unwrap()), expected, "{command}");
    }
}

/// Its target is in these units.
fn in_units(line: &str, unit: &str, user_unit: Option<&str>) -> String {
    let user = user_unit.map(|name| format!(r#","userUnit":"{name}""#)).unwrap_or_default();
    format!(r#"{},"systemd":{{"unit":"{unit}"{user}}}}}}}"#, line.strip_suffix("}}").unwrap())
}

#[test]
fn a_unit_of_a_user_is_none_of_the_host() {
    let lines = [
        in_units(&signal(1, 1, KILL, (1, "systemd"), (9, "nginx")), "nginx.service", None),
        in_units(&end(2, 1, KILL, 1, (9, "nginx")), "nginx.service", None),
        in_units(&signal(3, 2, KILL, (7, "sh"), (10, "nginx")), "user@1000.service", Some("nginx.service")),
        in_units(&end(4, 2, KILL, 3, (10, "nginx")), "user@1000.service", Some("nginx.service")),
    ];
    let (_directory, reader) = store(&lines);
    let pid = |target: Target| {
        let search = Search { targets: vec![vec![target]], ..Search::default() };
        newest_end(&reader, &search).unwrap().map(|end| end.document.number_at("target.pid"))
    };
    assert_eq!(pid(Target::unit("nginx.service").unwrap()), Some(Some(9)));
    assert_eq!(pid(Target::unit("nginx").unwrap()), Some(Some(9)));
    assert_eq!(pid(Target::user_unit("nginx.service").unwrap()), Some(Some(10)));
    assert_eq!(pid(Target::unit("user@1000.service").unwrap()), Some(Some(10)));
    // who did not say which of them gets the newest; the other is listed
    assert_eq!(pid("nginx.service".parse().unwrap()), Some(Some(10)));
    let places: Vec<_> = reader.deaths_of("nginx").unwrap();
    assert_eq!(places.len(), 2, "{places:?}");
}

#[test]
fn an_id_of_another_run_names_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("store");
    let facts = crate::store::RunFacts { boot: "b".to_owned(), ..Default::default() };
    let runs = [
        vec![signal(1, 1, TERM, (7, "root"), (9, "victim"))],
        // of the signal that it names nothing was stored
        vec![end(2, 3, (10, "SIGUSR1"), 1, (9, "victim"))],
    ];
    for lines in &runs {
        let mut writer = crate::store::Writer::open(&directory, None, None, &facts).unwrap().0;
        for line in lines {
            writer.put(line).unwrap();
        }
        writer.finish("stopped").unwrap();
    }
    let reader = Reader::open(&directory).unwrap();
    let end = newest_end(&reader, &search("victim")).unwrap().unwrap();
    let story = Story::of(&reader, end, 0).unwrap();
    assert_eq!(story.signals.len(), 1);
    assert!(story.last_signal().is_none(), "{story:?}");
    // nor is it found by whom it did not die of
    let senders = Search { senders: vec!["root".parse().unwrap()], deaths: true, ..Search::default() };
    assert!(newest_end(&reader, &senders).unwrap().is_none());
}
