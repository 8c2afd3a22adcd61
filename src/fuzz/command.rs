//! A program as a target: a message on its standard input, the answer on its standard output.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::target::{End, Reply, Target};

/// How often it is asked whether a program has ended.
const PULSE: Duration = Duration::from_millis(2);
/// How long a program that has ended is waited for, to finish what it says of that.
const AFTERMATH: Duration = Duration::from_millis(500);
/// What a Rust program ends with when it panics.
const PANIC: i32 = 101;
/// No answer is kept beyond this many bytes.
const LONGEST: u64 = 64 << 20;

/// So much of a standard error is kept from its beginning, and as much from its end.
const HALF_OF_ERROR: usize = 16 << 10;

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
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // an interrupt from the keyboard is for abigate; a program that it ends has not crashed
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let (input, output, error) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let message = message.to_vec();
        // A program that does not read must not keep the writer: both end when the program does.
        thread::spawn(move || input.map(|mut input| input.write_all(&message)));
        let answer = hear(output, |output| {
            let mut answer = Vec::new();
            // what has come until it broke is the answer
            let _ = output.take(LONGEST).read_to_end(&mut answer);
            answer
        });
        let error = hear(error, both_ends);
        let status = self.wait(&mut child)?;
        // A program that has ended may have left the pipe to another one.
        let answer = answer.recv_timeout(if status.is_some() { self.timeout } else { PULSE });
        let standard_error = error.recv_timeout(AFTERMATH).unwrap_or_default();
        let hang = End::Hang(self.timeout);
        let Some(status) = status else {
            return Ok(Reply { end: hang, standard_error, ..Reply::default() });
        };
        Ok(match answer {
            Ok(answer) => {
                let refused = !status.success();
                Reply { end: end(status, &answer), answer, refused, standard_error, ..Reply::default() }
            }
            Err(RecvTimeoutError::Timeout) => Reply { end: hang, standard_error, ..Reply::default() },
            Err(RecvTimeoutError::Disconnected) => {
                Reply { standard_error, ..Reply::crash("its output broke") }
            }
        })
    }
}

/// Reads a pipe on a thread of its own.
fn hear<P: Send + 'static>(
    pipe: Option<P>,
    read: impl FnOnce(P) -> Vec<u8> + Send + 'static,
) -> Receiver<Vec<u8>> {
    let (told, heard) = channel();
    thread::spawn(move || pipe.map(|pipe| told.send(read(pipe))));
    heard
}

/// The beginning and the end of what a pipe says; all of it is read, so that nobody waits.
fn both_ends(mut pipe: impl Read) -> Vec<u8> {
    let (mut beginning, mut end) = (Vec::new(), VecDeque::<u8>::new());
    let mut chunk = [0; 4096];
    let mut left_out = 0_u64;
    while let Ok(length @ 1..) = pipe.read(&mut chunk) {
        let room = HALF_OF_ERROR.saturating_sub(beginning.len()).min(length);
        beginning.extend_from_slice(&chunk[..room]);
        end.extend(&chunk[room..length]);
        let beyond = end.len().saturating_sub(HALF_OF_ERROR);
        end.drain(..beyond);
        left_out += beyond as u64;
    }
    if left_out > 0 {
        beginning.extend(format!("\n[{left_out} bytes are left out here]\n").into_bytes());
    }
    beginning.extend(end);
    beginning
}

/// A program may end with a code of its own for what it refuses, if it answers.
fn end(status: ExitStatus, answer: &[u8]) -> End {
    match status.code() {
        Some(0) => End::Done,
        Some(code) if code != PANIC && !answer.is_empty() => End::Done,
        _ => End::Crash(status.to_string()),
    }
}
