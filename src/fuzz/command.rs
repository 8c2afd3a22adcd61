//! A program as a target: a message on its standard input, the answer on its standard output.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::target::{End, Reply, Target};

/// How often it is asked whether a program has ended.
const PULSE: Duration = Duration::from_millis(2);
/// What a Rust program ends with when it panics.
const PANIC: i32 = 101;
/// No answer is kept beyond this many bytes.
const LONGEST: u64 = 64 << 20;

/// A program that is started once for each message.
#[derive(Clone, Debug)]
pub struct CommandTarget {
    program: String,
    arguments: Vec<String>,
    timeout: Duration,
}

impl CommandTarget {
    /// A command line, its words separated by spaces; none if it has no word.
    #[must_use]
    pub fn new(line: &str, timeout: Duration) -> Option<Self> {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some(Self { program: words.next()?, arguments: words.collect(), timeout })
    }

    /// Waits for the end; a program that takes too long is ended.
    fn wait(&self, child: &mut Child) -> std::io::Result<Option<ExitStatus>> {
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if begun.elapsed() >= self.timeout {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            thread::sleep(PULSE);
        }
    }
}

impl Target for CommandTarget {
    fn send(&mut self, message: &[u8]) -> std::io::Result<Reply> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // an interrupt from the keyboard is for abigate; a program that it ends has not crashed
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let message = message.to_vec();
        // A program that does not read must not keep the writer: both end when the program does.
        thread::spawn(move || input.map(|mut input| input.write_all(&message)));
        let (told, heard) = channel();
        thread::spawn(move || {
            let mut answer = Vec::new();
            let read = output.map(|output| output.take(LONGEST).read_to_end(&mut answer));
            drop((told.send(answer), read));
        });
        let Some(status) = self.wait(&mut child)? else {
            return Ok(Reply { end: End::Hang(self.timeout), ..Reply::default() });
        };
        match heard.recv_timeout(self.timeout) {
            Ok(answer) => Ok(Reply { end: end(status, &answer), answer, findings: None }),
            Err(RecvTimeoutError::Timeout) => Ok(Reply { end: End::Hang(self.timeout), ..Reply::default() }),
            Err(RecvTimeoutError::Disconnected) => Ok(Reply::crash("its output broke")),
        }
    }
}

/// A program may end with a code of its own for what it refuses, if it answers.
fn end(status: ExitStatus, answer: &[u8]) -> End {
    match status.code() {
        Some(0) => End::Done,
        Some(code) if code != PANIC && !answer.is_empty() => End::Done,
        _ => End::Crash(status.to_string()),
    }
}
