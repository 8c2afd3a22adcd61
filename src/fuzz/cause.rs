//! What lies behind a fault, so that one cause is told once however often it is met.

use std::collections::{HashMap, HashSet};

use super::verdict::{Expectation, Fault, Verdict};

/// No description of a cause is longer, in characters.
const LONGEST: usize = 160;

/// Names the cause of a fault: where a program says that it fell over; else what came back, or what was done
/// to the message and where.
pub(super) fn cause(
    mutation: &str,
    place: &str,
    expected: &Expectation,
    verdict: &Verdict,
    standard_error: &[u8],
) -> String {
    let fault = verdict.fault.name();
    let conditions = [&expected.any_of[..], &expected.none_of].concat().join(" ");
    let about = if conditions.is_empty() { place } else { &conditions };
    let named = match verdict.fault {
        Fault::Crash => match crash_place(standard_error) {
            Some(place) => format!("{fault} {place}"),
            None => format!("{fault} {} {mutation} {about}", masked(&verdict.detail)),
        },
        Fault::Hang => format!("{fault} {mutation} {about}"),
        Fault::MalformedAnswer | Fault::LostUserData | Fault::LostTransaction => {
            format!("{fault} {}", masked(&verdict.detail))
        }
        Fault::RefusedThoughValid => {
            let codes = verdict.detail.split_once(": ").map_or(mutation, |(_, codes)| codes);
            format!("{fault} {codes}")
        }
        Fault::AcceptedThoughInvalid | Fault::ConditionMissing | Fault::ConditionUnexpected => {
            format!("{fault} {mutation} {conditions}")
        }
    };
    named.trim_end().chars().take(LONGEST).collect()
}

/// Where a program says that it fell over: the place that a trace or a panic names, or else its last line
/// without what differs from one message to the next.
pub(super) fn crash_place(standard_error: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(standard_error);
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    // Python tells the innermost call last, everybody else first
    let python = lines().rfind(|line| line.starts_with("File \"") && line.contains("\", line "));
    if let Some(line) = python {
        return Some(line.to_owned());
    }
    let place = lines().find_map(|line| line.split_whitespace().find_map(source_place));
    place.or_else(|| lines().next_back().map(masked))
}

/// A word such as `src/main.rs:12:3` or `(Decoder.java:88)`.
fn source_place(word: &str) -> Option<String> {
    let word = word.trim_matches(|sign: char| "()[],;'\"`".contains(sign)).trim_end_matches(':');
    let (file, line) = word.split_once(':')?;
    let is_line = line.starts_with(|sign: char| sign.is_ascii_digit())
        && line.chars().all(|sign| sign.is_ascii_digit() || sign == ':');
    let (stem, extension) = file.rsplit_once('.')?;
    let is_file = stem.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_')
        && extension.starts_with(|sign: char| sign.is_ascii_alphabetic());
    (is_line && is_file).then(|| word.to_owned())
}

/// A text without its digits and without what stands between quotation marks.
fn masked(text: &str) -> String {
    let mut quoted = false;
    let mut masked = String::new();
    for sign in text.chars() {
        match sign {
            '"' => {
                quoted = !quoted;
                masked.push(sign);
            }
            _ if quoted => {}
            digit if digit.is_ascii_digit() => {
                if !masked.ends_with('#') {
                    masked.push('#');
                }
            }
            other => masked.push(other),
        }
    }
    masked
}

/// What is known of a cause.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    /// It stands in the baseline.
    Before,
    /// It is this failure of the report.
    Failure(usize),
}

/// The causes that have been met.
#[derive(Debug)]
pub(super) struct Causes<'a> {
    baseline: &'a HashSet<String>,
    met: HashMap<String, Known>,
}

impl<'a> Causes<'a> {
    pub(super) fn new(baseline: &'a HashSet<String>) -> Self {
        Self { baseline, met: HashMap::new() }
    }

    pub(super) fn find(&self, cause: &str) -> Option<Known> {
        let before = || self.baseline.contains(cause).then_some(Known::Before);
        self.met.get(cause).copied().or_else(before)
    }

    pub(super) fn remember(&mut self, cause: String, known: Known) {
        self.met.insert(cause, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_known_by_the_place_that_the_program_names() {
        let python = "Traceback (most recent call last):\n  File \"d.py\", line 3, in <module>\n    f()\n  \
                      File \"d.py\", line 9, in f\n    int(x)\nValueError: invalid literal: '12A'\n";
        assert_eq!(crash_place(python.as_bytes()).unwrap(), "File \"d.py\", line 9, in f");
        let rust =
            "\nthread 'main' (77) panicked at src/main.rs:12:34:\nindex 80 is out of range\nnote: run with\n";
        assert_eq!(crash_place(rust.as_bytes()).unwrap(), "src/main.rs:12:34");
        let java =
            "java.lang.NumberFormatException: For input string: \"A1\"\n\tat Decoder.read(Decoder.java:88)\n";
        assert_eq!(crash_place(java.as_bytes()).unwrap(), "Decoder.read(Decoder.java:88");
        assert_eq!(crash_place(b"12:30:01 record 17 has \"XX\"\n").unwrap(), "#:#:# record # has \"\"");
        assert_eq!(crash_place(b" \n"), None);
    }
}
