//! What a reply must be, and what is wrong with one.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::target::{End, Reply};
use crate::gateway::{Outcome, Outliner};
use crate::grammar::{Cell, ConditionCode, Direction, Grammar, Severity, UnknownName};
use crate::message::Checker;
use crate::wire::{Columns, records};

/// What must become of a message.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Expectation {
    /// Whether it is to be accepted; open if the grammar alone cannot say.
    pub accepted: Option<bool>,
    /// Conditions of which the answer must have one.
    pub any_of: Vec<String>,
    /// Conditions that the answer must not have.
    pub none_of: Vec<String>,
    /// Whether the envelope is whole, so that the answer must repeat the sender's data.
    pub whole_envelope: bool,
    /// Whether only a host's reference data tell, so that a decoder alone finds nothing.
    #[serde(default)]
    pub by_host: bool,
    /// How many transactions are answered one by one; open if the batch may be refused as a whole.
    pub transactions: Option<u64>,
}

/// What a target did wrong.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// It fell over.
    Crash,
    /// It did not answer in time.
    Hang,
    /// What it answered is no batch of the response.
    MalformedAnswer,
    /// The answer does not repeat what the sender put in for itself.
    LostUserData,
    /// There are not as many final dispositions as transactions.
    LostTransaction,
    /// It refused what is valid.
    RefusedThoughValid,
    /// It accepted what is not.
    AcceptedThoughInvalid,
    /// It refused, but not for the reason.
    ConditionMissing,
    /// It named a condition that does not hold.
    ConditionUnexpected,
}

/// The faults and their names.
const NAMES: [(Fault, &str); 9] = [
    (Fault::Crash, "crash"),
    (Fault::Hang, "hang"),
    (Fault::MalformedAnswer, "malformed-answer"),
    (Fault::LostUserData, "lost-user-data"),
    (Fault::LostTransaction, "lost-transaction"),
    (Fault::RefusedThoughValid, "refused-though-valid"),
    (Fault::AcceptedThoughInvalid, "accepted-though-invalid"),
    (Fault::ConditionMissing, "condition-missing"),
    (Fault::ConditionUnexpected, "condition-unexpected"),
];

impl Fault {
    /// Its name, as in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(fault, _)| *fault == self).map_or("", |(_, name)| name)
    }
}

/// A text that names no fault.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text:?} is no kind of failure; there are {}", NAMES.map(|(_, name)| name).join(", "))]
pub struct NoFault {
    text: String,
}

impl FromStr for Fault {
    type Err = NoFault;

    fn from_str(text: &str) -> Result<Self, NoFault> {
        let found = NAMES.iter().find(|(_, name)| *name == text).map(|(fault, _)| *fault);
        found.ok_or_else(|| NoFault { text: text.to_owned() })
    }
}

/// A fault and what can be said of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Verdict {
    /// What is wrong.
    pub fault: Fault,
    /// The same in words.
    pub detail: String,
}

/// Judges replies.
#[derive(Debug)]
pub struct JudgeOfReplies<'g> {
    grammar: &'g Grammar,
    outliner: Outliner,
    /// Whether the messages are answers themselves, which nobody answers.
    one_way: bool,
    /// Fields that come back as they were sent: in the input and in the answer.
    repeated: Vec<(u8, Cell, Cell)>,
    /// Whether the response has dispositions.
    disposes: bool,
    /// Where an answer says which application it is of, and which it must be if it says so.
    application: Option<(Cell, &'g str)>,
}

/// Control records and their fields that an answer repeats (batch chapter, B&B-19 to B&B-28).
const REPEATED: [(&str, &str); 7] = [
    ("A", "sender_receiver_site_code"),
    ("A", "sender_receiver_id_code"),
    ("A", "transmission_date"),
    ("A", "transmitters_user_data_text"),
    ("B", "processing_district_port_code"),
    ("B", "processing_filer_code"),
    ("B", "filer_preparers_user_data_text"),
];

impl<'g> JudgeOfReplies<'g> {
    /// A judge of the answers to an application.
    ///
    /// # Errors
    /// The grammar lacks the envelope.
    pub fn new(grammar: &'g Grammar, application: &str) -> Result<Self, UnknownName> {
        let known = grammar.application(application);
        let e_manifest = known.is_some_and(|known| known.e_manifest);
        let one_way = known.is_some_and(|known| known.direction == Direction::Output);
        let mut repeated = Vec::new();
        for (record, field) in REPEATED.into_iter().filter(|_| !e_manifest) {
            let cell = |direction| {
                let mut layouts = grammar.variants("*", direction, record);
                layouts.find_map(|layout| layout.cell(field).ok().filter(|_| layout.is_general()))
            };
            if let (Some(sent), Some(back)) = (cell(Direction::Input), cell(Direction::Output)) {
                repeated.push((record.as_bytes()[0], sent, back));
            }
        }
        let response = grammar.response(application).unwrap_or_default();
        let disposes = grammar.layouts().iter().any(|layout| {
            layout.application == response
                && layout.field("disposition_type_code").is_some()
                && layout.field("condition_code").is_some()
        });
        let mut headers = grammar.variants("*", Direction::Output, "A");
        let application = headers
            .find_map(|layout| {
                layout.cell("application_identifier_code").ok().filter(|_| layout.is_general())
            })
            .map(|cell| (cell, response));
        Ok(Self { grammar, outliner: Outliner::new(grammar)?, one_way, repeated, disposes, application })
    }

    /// How an answer ends.
    #[must_use]
    pub fn outcome(&self, reply: &Reply) -> Outcome {
        self.outliner.outcome(&rows(&reply.answer))
    }

    /// What is wrong with the reply to a message, if anything is.
    #[must_use]
    pub fn judge(&self, message: &[u8], expected: &Expectation, reply: &Reply) -> Option<Verdict> {
        let verdict = |fault, detail: String| Some(Verdict { fault, detail });
        match &reply.end {
            End::Crash(why) => return verdict(Fault::Crash, why.clone()),
            End::Hang(time) => {
                return verdict(Fault::Hang, format!("no answer within {} ms", time.as_millis()));
            }
            End::Done => {}
        }
        if let Some(findings) = &reply.findings
            && let Some(found) = found_otherwise(expected, findings)
        {
            return Some(found);
        }
        if self.one_way {
            let refused = expected.accepted == Some(true) && reply.refused;
            let detail = || String::from_utf8_lossy(reply.answer.trim_ascii()).chars().take(200).collect();
            return refused.then(|| Verdict { fault: Fault::RefusedThoughValid, detail: detail() });
        }
        if reply.findings.is_some() && reply.answer.is_empty() {
            return None;
        }
        let (sent, answer) = (&rows(message), rows(&reply.answer));
        if let Some(detail) = self.malformed(&reply.answer, &answer, sent) {
            return verdict(Fault::MalformedAnswer, detail);
        }
        let lost = || {
            let detail = self.lost(sent, &answer).filter(|_| expected.whole_envelope)?;
            Some(Verdict { fault: Fault::LostUserData, detail })
        };
        let disposed = || {
            let outcome = self.disposes.then(|| self.outliner.outcome(&answer))?;
            disposed_otherwise(expected, &outcome)
        };
        // That a valid message was refused says more than how; else it is the dispositions that hang on
        // more than the fault.
        if expected.accepted == Some(true) { disposed().or_else(lost) } else { lost().or_else(disposed) }
    }

    /// Why an answer is no batch. What it repeats of a message may be as wrong there as it was sent.
    fn malformed(&self, bytes: &[u8], answer: &[Columns], sent: &[Columns]) -> Option<String> {
        let (first, last) = (answer.first(), answer.last());
        if first.map(|row| row[0]) != Some(b'A') || last.map(|row| row[0]) != Some(b'Z') {
            return Some(if bytes.is_empty() {
                "nothing came".to_owned()
            } else {
                "no batch from A to Z".to_owned()
            });
        }
        let of_other = self.application.and_then(|(cell, response)| {
            let named = first.map_or("", |row| cell.text(row));
            (!named.is_empty() && named != response)
                .then(|| format!("a batch of {named:?}, not of {response:?}"))
        });
        if of_other.is_some() {
            return of_other;
        }
        let mut found = None;
        let mut checker = Checker::new(self.grammar, None);
        let mut report = |finding: crate::message::Finding| {
            let text = finding.found.trim().as_bytes();
            let repeats = finding.field.is_some()
                && (text.is_empty()
                    || sent.iter().any(|row| memchr::memmem::find(&shown(row), text).is_some()));
            if finding.severity != Severity::Informational && !repeats {
                found.get_or_insert_with(|| finding.to_string());
            }
        };
        for record in records(bytes) {
            checker.line(&record.as_line(), &mut report);
        }
        checker.finish(&mut report);
        found
    }

    /// What the answer should have repeated and did not.
    fn lost(&self, sent: &[Columns], answer: &[Columns]) -> Option<String> {
        for (record, there, back) in &self.repeated {
            let row = |rows: &[Columns]| rows.iter().find(|row| row[0] == *record).copied();
            let (Some(sent), Some(answered)) = (row(sent), row(answer)) else { continue };
            if there.text(&sent) != back.text(&answered) {
                let record = char::from(*record);
                let (sent, found) = (there.text(&sent), back.text(&answered));
                return Some(format!("{record} columns {back}: sent {sent:?}, found {found:?}"));
            }
        }
        None
    }
}

/// A record as an answer can repeat it: a character that no keyboard has becomes a space.
fn shown(row: &Columns) -> Columns {
    row.map(|byte| if byte.is_ascii_graphic() { byte } else { b' ' })
}

fn rows(bytes: &[u8]) -> Vec<Columns> {
    records(bytes).map(|record| record.columns).collect()
}

/// A decoder's findings against what must be found.
fn found_otherwise(expected: &Expectation, findings: &[Option<ConditionCode>]) -> Option<Verdict> {
    let codes = || findings.iter().flatten().map(ConditionCode::as_str);
    let told = || codes().collect::<Vec<_>>().join(" ");
    let verdict = |fault, detail| Some(Verdict { fault, detail });
    match expected.accepted {
        Some(false) if expected.by_host => None,
        Some(true) if !findings.is_empty() => {
            verdict(Fault::RefusedThoughValid, format!("{} findings: {}", findings.len(), told()))
        }
        Some(false) if findings.is_empty() => verdict(
            Fault::AcceptedThoughInvalid,
            format!("no finding, expected {}", expected.any_of.join(" or ")),
        ),
        Some(false) => missing(expected, codes(), told()),
        _ => None,
    }
}

fn missing<'a>(
    expected: &Expectation,
    mut codes: impl Iterator<Item = &'a str>,
    found: String,
) -> Option<Verdict> {
    if expected.any_of.is_empty() || codes.any(|code| expected.any_of.iter().any(|known| known == code)) {
        return None;
    }
    let detail = format!("expected {}, found {found}", expected.any_of.join(" or "));
    Some(Verdict { fault: Fault::ConditionMissing, detail })
}

/// An answer's dispositions against what must be answered.
fn disposed_otherwise(expected: &Expectation, outcome: &Outcome) -> Option<Verdict> {
    let verdict = |fault, detail| Some(Verdict { fault, detail });
    let codes = || outcome.codes.iter().map(ConditionCode::as_str);
    let barred = |code: &&str| expected.none_of.iter().any(|known| known == code);
    if let Some(code) = codes().find(barred) {
        return verdict(Fault::ConditionUnexpected, format!("found {code}, which does not hold"));
    }
    match expected.accepted {
        Some(true) if outcome.rejected > 0 => verdict(Fault::RefusedThoughValid, outcome.to_string()),
        Some(false) => {
            let unseen = if outcome.rejected == 0 {
                let wanted = expected.any_of.join(" or ");
                verdict(Fault::AcceptedThoughInvalid, format!("{outcome}; expected {wanted}"))
            } else {
                missing(expected, codes(), outcome.to_string())
            };
            // The one that is not answered may be the one that was to be refused.
            let lost = uncounted(expected, outcome);
            if outcome.accepted > 0 { lost.or(unseen) } else { unseen.or(lost) }
        }
        _ => uncounted(expected, outcome),
    }
}

fn uncounted(expected: &Expectation, outcome: &Outcome) -> Option<Verdict> {
    let transactions = expected.transactions?;
    let answered = outcome.accepted + outcome.rejected;
    (answered != transactions).then(|| Verdict {
        fault: Fault::LostTransaction,
        detail: format!("{answered} final dispositions for {transactions} transactions"),
    })
}
