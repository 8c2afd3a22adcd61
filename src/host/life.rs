//! The life of an entry summary: the table of its transitions, and what a step does to it (entry summary
//! chapter, ESF-183, ESF-206 note 5, ESF-210).

use std::collections::HashMap;

use jiff::Span;
use jiff::civil::{Date, Weekday};

use crate::grammar::{Cell, Direction, Grammar, UnknownName};
use crate::store::{ControlState, EntrySummary, Version};
use crate::wire::Columns;

/// The table: one row an event and the states in which it has the same effect.
const TABLE: &str = "entry_summary_transitions";
/// Stands in the table for a summary that is not on file.
const NOT_ON_FILE: &str = "none";
/// Stands in the table for the state before.
const UNCHANGED: &str = "same";

/// After how many days from its entry date a summary liquidates by itself, on the next Friday: CBP's
/// customary cycle, which no chapter prints.
const LIQUIDATION_CYCLE_DAYS: i64 = 314;

/// The events that the host itself brings about, as the table names them. Those of CBP's officers are
/// named by [`Action`](super::Action).
pub(super) mod event {
    /// An accepted filing, action A or R.
    pub(in crate::host) const FILE: &str = "file";
    /// An accepted post summary correction.
    pub(in crate::host) const CORRECT: &str = "correct";
    /// An accepted deletion.
    pub(in crate::host) const DELETE: &str = "delete";
    /// A filing with a fatal condition, action A or R.
    pub(in crate::host) const REFUSE: &str = "refuse";
    /// The preliminary statement is printed.
    pub(in crate::host) const PLACE_ON_STATEMENT: &str = "place_on_statement";
    /// Payment has come in.
    pub(in crate::host) const COLLECT: &str = "collect";
    /// The summary is liquidated.
    pub(in crate::host) const LIQUIDATE: &str = "liquidate";
}

/// What an event does in a state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Transition {
    /// The state afterwards; none if there is no summary on file any more.
    pub(super) next: Option<ControlState>,
    /// What becomes of the version.
    pub(super) version: VersionChange,
    /// The disposition type of the notification that goes out, empty if none does.
    pub(super) disposition: String,
}

/// What an event does to the version (ESF-206, note 5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum VersionChange {
    /// Nothing.
    None,
    /// It is the first.
    First,
    /// The next replacement is a new major version.
    Mark,
    /// A new major version, if one was marked.
    Due,
    /// A new minor version.
    Minor,
}

impl VersionChange {
    const NAMES: [(&str, Self); 5] = [
        ("", Self::None),
        ("first", Self::First),
        ("mark", Self::Mark),
        ("due", Self::Due),
        ("minor", Self::Minor),
    ];
}

/// Why an event cannot happen in a state: a condition code for what the trade sends, words for the rest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Illegal(pub(super) String);

/// The table of transitions.
#[derive(Debug)]
pub(super) struct Transitions {
    table: HashMap<(String, Option<ControlState>), Result<Transition, Illegal>>,
    cells: LifeCells,
}

/// The fields of a filing that time looks at.
#[derive(Debug)]
struct LifeCells {
    header: (String, Cell, Cell),
    case: (String, Cell),
}

impl Transitions {
    pub(super) fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let list = grammar.list(TABLE).ok_or_else(|| UnknownName(format!("no list {TABLE}")))?;
        let mut table = HashMap::new();
        for row in list.rows() {
            let column = |name| list.cell(row, name).unwrap_or_default();
            let event = column("event");
            for name in column("state").split(' ') {
                let before = state(name)?;
                let what = match column("illegal") {
                    "" => Ok(Transition {
                        next: if column("next") == UNCHANGED { before } else { state(column("next"))? },
                        version: version_change(column("version"))?,
                        disposition: column("disposition").to_owned(),
                    }),
                    why => Err(Illegal(why.to_owned())),
                };
                if table.insert((event.to_owned(), before), what).is_some() {
                    return Err(UnknownName(format!("{TABLE} has {event} in {name} twice")));
                }
            }
        }
        Ok(Self { table, cells: LifeCells::new(grammar)? })
    }

    /// What an event does in a state.
    pub(super) fn find(&self, event: &str, state: Option<ControlState>) -> Result<&Transition, Illegal> {
        match self.table.get(&(event.to_owned(), state)) {
            Some(found) => found.as_ref().map_err(Clone::clone),
            None => Err(Illegal(format!("no event {event}"))),
        }
    }

    /// Takes a summary through a transition. The state is the one before; a summary that leaves the file
    /// keeps it.
    pub(super) fn apply(
        &self,
        event: &str,
        transition: &Transition,
        summary: &mut EntrySummary,
        today: Date,
    ) {
        let before = summary.state;
        let standing = &mut summary.standing;
        match transition.version {
            VersionChange::None => {}
            VersionChange::First => summary.version = Version::FIRST,
            VersionChange::Mark => standing.version_due = true,
            VersionChange::Due => {
                if std::mem::take(&mut standing.version_due) {
                    summary.version = summary.version.after_rejection();
                }
            }
            VersionChange::Minor => summary.version = summary.version.after_modification(),
        }
        let Some(next) = transition.next else { return };
        summary.state = next;
        standing.was_controlled |= next != ControlState::TradeControl;
        if event == event::COLLECT && summary.liquidation_date.is_none() {
            summary.liquidation_date = self.scheduled_liquidation(summary, today);
        }
        if event == event::LIQUIDATE {
            summary.liquidation_date = Some(today);
        }
        let is_filed = event == event::FILE || event == event::CORRECT;
        if is_filed || next != before {
            summary.standing.due = match next {
                ControlState::TradeControl if is_filed => self.statement_date(&summary.records),
                ControlState::Paid => summary.liquidation_date,
                _ => None,
            };
        }
    }

    /// The day on which a summary goes on its statement; none if it is on none (ESF-174 to ESF-176).
    fn statement_date(&self, records: &[Columns]) -> Option<Date> {
        let (record, identifier, date) = &self.cells.header;
        let header = records.iter().find(|row| identifier.text(row) == record)?;
        date.date(header).ok().flatten()
    }

    /// The day on which a paid summary liquidates. Antidumping and countervailing duty suspend that.
    fn scheduled_liquidation(&self, summary: &EntrySummary, today: Date) -> Option<Date> {
        let (record, identifier) = &self.cells.case;
        if summary.records.iter().any(|row| identifier.text(row) == record) {
            return None;
        }
        let from = summary.entry_date.unwrap_or(today);
        let day = from.saturating_add(Span::new().days(LIQUIDATION_CYCLE_DAYS));
        let is_friday = day.weekday() == Weekday::Friday;
        Some(if is_friday { day } else { day.nth_weekday(1, Weekday::Friday).unwrap_or(day) })
    }
}

impl LifeCells {
    fn new(grammar: &Grammar) -> Result<Self, UnknownName> {
        let header = grammar.find("AE", Direction::Input, "10", "")?;
        let case = grammar.find("AE", Direction::Input, "53", "")?;
        Ok(Self {
            header: (
                header.record.clone(),
                header.cell("control_identifier")?,
                header.cell("preliminary_statement_print_date")?,
            ),
            case: (case.record.clone(), case.cell("control_identifier")?),
        })
    }
}

fn state(name: &str) -> Result<Option<ControlState>, UnknownName> {
    if name == NOT_ON_FILE {
        return Ok(None);
    }
    let known = ControlState::ALL.into_iter().find(|known| known.name() == name);
    known.map(Some).ok_or_else(|| UnknownName(format!("{TABLE}: no state {name}")))
}

fn version_change(name: &str) -> Result<VersionChange, UnknownName> {
    let known = VersionChange::NAMES.into_iter().find(|(known, _)| *known == name);
    known.map(|(_, change)| change).ok_or_else(|| UnknownName(format!("{TABLE}: no version change {name}")))
}
