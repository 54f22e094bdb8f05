//! A terminal with a program on it, as a person has: what is drawn there, and keys.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::patience::wait_until;

/// A terminal, and the program that was started on it.
pub struct Terminal {
    child: Child,
    keys: File,
    /// Keeps what was drawn from being lost at the end.
    _other: OwnedFd,
    text: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Starts a program on a terminal that is so wide. It is the terminal of its session, and the program in its foreground.
    pub fn start(columns: u16, command: &mut Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        set_width(&master, columns);
        let name = ptsname(&master, Vec::new()).unwrap();
        let side = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let stdio = || Stdio::from(side.try_clone().unwrap());
        // it becomes the program itself: a process that was just started leads no group
        let mut session = Command::new("setsid");
        session.arg("-c").arg(command.get_program()).args(command.get_args()).env("TERM", "xterm");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        let child = session.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        let keys = File::from(master);
        let text = Arc::<Mutex<Vec<u8>>>::default();
        let (mut screen, copy) = (keys.try_clone().unwrap(), Arc::clone(&text));
        thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(count) = screen.read(&mut some) {
                copy.lock().unwrap().extend_from_slice(&some[..count]);
            }
        });
        Self { child, keys, _other: side, text }
    }

    /// The program's pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whatever was written to it so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    /// The lines so far as they are seen: without colours, and without what was taken away again.
    pub fn lines(&self) -> Vec<String> {
        self.text().replace("\r\n", "\n").split_terminator('\n').map(seen).collect()
    }

    /// Waits for a line, and returns it.
    pub fn wait_for(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        wait_until(what, || self.lines().into_iter().find(|line| is_it(line)))
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Makes it so wide.
    pub fn resize(&self, columns: u16) {
        set_width(&self.keys, columns);
    }

    /// Waits for the end of the program.
    pub fn wait(&mut self) -> ExitStatus {
        wait_until("the end of the program", || self.child.try_wait().unwrap())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn set_width(terminal: &impl std::os::fd::AsFd, columns: u16) {
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).unwrap();
}

/// A line without escape sequences: what stands behind the last carriage return.
fn seen(line: &str) -> String {
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut seen = String::new();
    let mut rest = line;
    while let Some((before, behind)) = rest.split_once("\x1b[") {
        seen.push_str(before);
        rest = behind.split_once(|end: char| end.is_ascii_alphabetic()).map_or("", |(_, rest)| rest);
    }
    seen + rest
}
