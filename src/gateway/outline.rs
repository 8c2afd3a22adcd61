//! What of a batch and its answer may be written to a log: who sent it, for which application, and
//! how it ended. Never a password, never a party's number.

use std::fmt;

use crate::envelope::{BatchHeader, HeaderCells, Sender};
use crate::grammar::{Cell, ConditionCode, Direction, Grammar, UnknownName};
use crate::wire::Columns;

/// The application under which the grammar keeps the envelope's records.
const ENVELOPE: &str = "*";

/// Finds in records what may be logged.
#[derive(Debug)]
pub struct Outliner {
    /// Which record it is.
    identifier: Cell,
    header: HeaderCells,
    /// The application, in the A-record of an answer or a notification as well.
    application: Cell,
    dispositions: Vec<Disposition>,
    /// The applications in which CBP tells of its own accord; their records are no dispositions.
    notifications: Vec<String>,
}

/// A record that says how something ended.
#[derive(Debug)]
struct Disposition {
    control_identifier: Cell,
    record: String,
    kind: Cell,
    condition: Cell,
}

/// Who sent a batch, and for which application.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outline {
    /// Site and identification code, with a slash between.
    pub sender: String,
    /// The application identifier.
    pub application: String,
    /// The mailbox of the sender: its site, identification and office.
    pub mailbox: Sender,
}

/// How a batch ended, as its answer says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outcome {
    /// Final dispositions that accept.
    pub accepted: u64,
    /// Final dispositions that reject.
    pub rejected: u64,
    /// The condition codes of all but the acceptances, each once, in the order of the answer.
    pub codes: Vec<ConditionCode>,
}

impl Outliner {
    /// Resolves the names it needs.
    ///
    /// # Errors
    /// The grammar does not have them.
    pub fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let header = grammar.find(ENVELOPE, Direction::Input, "A", "esar")?;
        let mut dispositions = Vec::new();
        for layout in grammar.layouts().iter().filter(|layout| layout.direction == Direction::Output) {
            let (Ok(kind), Ok(condition)) =
                (layout.cell("disposition_type_code"), layout.cell("condition_code"))
            else {
                continue;
            };
            let control_identifier = layout.cell("control_identifier")?;
            dispositions.push(Disposition {
                control_identifier,
                record: layout.record.clone(),
                kind,
                condition,
            });
        }
        Ok(Self {
            identifier: header.cell("control_identifier")?,
            header: HeaderCells::new(grammar)?,
            application: header.cell("application_identifier_code")?,
            dispositions,
            notifications: notifications(grammar),
        })
    }

    /// Who sent a batch. Columns that a header should not have do not get into a log by this way: what
    /// is not a letter or digit is left out.
    #[must_use]
    pub fn outline(&self, rows: &[Columns]) -> Outline {
        let Some(header) = rows.first().and_then(|row| self.header(row)) else { return Outline::default() };
        let Sender { site, id, office } = header.sender;
        let mailbox = Sender { site: plain(&site), id: plain(&id), office: plain(&office) };
        Outline {
            sender: sender(&mailbox.site, &mailbox.id),
            application: plain(&header.application),
            mailbox,
        }
    }

    /// What an A-record says of the sender; `None` for any other record.
    pub(super) fn header(&self, row: &Columns) -> Option<BatchHeader> {
        self.header.read(row)
    }

    /// How a batch ended.
    #[must_use]
    pub fn outcome(&self, answer: &[Columns]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut is_notification = false;
        for row in answer {
            if self.identifier.text(row) == "A" {
                let application = self.application.text(row);
                is_notification = self.notifications.iter().any(|known| known == application);
            }
            if is_notification {
                continue;
            }
            let found = self
                .dispositions
                .iter()
                .find(|disposition| disposition.control_identifier.text(row) == disposition.record);
            let Some(disposition) = found else { continue };
            match disposition.kind.text(row) {
                "A" => {
                    outcome.accepted += 1;
                    continue;
                }
                "R" => outcome.rejected += 1,
                _ => {}
            }
            let code = ConditionCode::new(disposition.condition.text(row));
            outcome.codes.extend(code.filter(|code| !outcome.codes.contains(code)));
        }
        outcome
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} accepted, {} rejected", self.accepted, self.rejected)?;
        for (index, code) in self.codes.iter().enumerate() {
            write!(formatter, "{}{}", if index == 0 { ": " } else { " " }, code.as_str())?;
        }
        Ok(())
    }
}

/// How a sender is named.
pub(super) fn sender(site: &str, id: &str) -> String {
    format!("{site}/{id}")
}

/// The applications of the list that travel out and answer nothing.
fn notifications(grammar: &Grammar) -> Vec<String> {
    let Some(list) = grammar.list("applications") else { return Vec::new() };
    let answers = list.rows().iter().filter_map(|row| list.cell(row, "response")).collect::<Vec<_>>();
    let is_told = |row: &&Vec<String>| {
        list.cell(row, "direction") == Some("out")
            && list.cell(row, "code").is_some_and(|code| !answers.contains(&code))
    };
    let told = list.rows().iter().filter(is_told);
    told.filter_map(|row| list.cell(row, "code")).map(str::to_owned).collect()
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}
