//! What is on file, as rules ask for it: as lists beside those of the world (docs/rules.md). The rules
//! stand in `grammars/rules/entry_summary_corrections.rules`.

mod change;
mod control;
mod owner;
mod release;
mod warehouse;

use std::borrow::Cow;

use jiff::civil::Date;
use jiff::{Span, Zoned};

use super::World;
use super::filing::Filing;
use super::statement::StatementCells;
use crate::grammar::Grammar;
use crate::message::Transaction;
use crate::rules::{ColumnName, ListName, Reference, Row};
use crate::store::{ControlState, EntryKey, EntrySummary, StoreError, Unit};
use crate::tariff::Tariff;

pub(super) use change::ComparedData;
use control::Filed;
pub(super) use owner::FilerLists;
use release::Releases;
pub(super) use warehouse::{BalanceCells, balance};
pub use warehouse::{BalanceLine, WarehouseBalance};

/// After how many months from liquidation an entry number may be used again (ESF-132).
const REUSE_MONTHS: i64 = 120;
/// How many months ahead of this one a statement month may be (ESF-175, 213).
const STATEMENT_MONTHS: u8 = 2;
/// Since when corrections must leave the numbers of the emergency tariffs alone (883; CSMS 69635410).
const IEEPA_SINCE: Date = jiff::civil::date(2026, 8, 21);

/// The lists of what is on file.
const OF_FILE: [&str; 6] =
    ["filed", "filed_warehouse", "named_release", "releases", "statement_month", "printed_statement"];

/// What every view of the file is made from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) grammar: &'a Grammar,
    pub(super) world: &'a World,
    pub(super) filer_lists: &'a FilerLists,
}

/// A filing and who asks: the filer of the block in which it stands.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) filing: &'a Filing,
    pub(super) filer: &'a str,
}

/// The world, and of the file what one filing names: the summary of its own number, the warehouse entry it
/// withdraws from, and the releases. What is another filer's is not there.
pub(super) struct FileView<'a> {
    sources: Sources<'a>,
    filing: &'a Filing,
    /// Whose rows and releases are there: those of the block's filer, or of the filer whose summary the
    /// filing may correct.
    filer: &'a str,
    today: Date,
    filed: Option<Filed>,
    warehouse: Option<Filed>,
    releases: Releases,
    /// Whether the statement that it asks for has been printed already.
    is_printed: bool,
}

/// The accepted summary of the entry, unless its number is free again.
pub(super) fn on_file(
    unit: &mut dyn Unit,
    key: &EntryKey,
    now: &Zoned,
) -> Result<Option<EntrySummary>, StoreError> {
    let is_free = |summary: &EntrySummary| {
        let liquidated = summary.liquidation_date.filter(|_| summary.state == ControlState::Liquidated);
        liquidated.is_some_and(|date| later(date, Span::new().months(REUSE_MONTHS)) <= now.date())
    };
    Ok(unit.entry_summary(key)?.filter(|summary| !is_free(summary)))
}

/// The summary that a filing names as its own.
pub(super) enum Whose {
    /// There is none.
    Nobodys,
    /// The filer of the block may know of it.
    Open(Box<EntrySummary>),
    /// There is one of another filer, which is not there for the filer of the block.
    Anothers,
}

/// Settles whose the summary is that a filing names, before any rule asks for it.
pub(super) fn settle(asked: Asked<'_>, unit: &mut dyn Unit, now: &Zoned) -> Result<Whose, StoreError> {
    Ok(match on_file(unit, &asked.filing.key, now)? {
        None => Whose::Nobodys,
        Some(summary) if owner::may_file(asked.filer, asked.filing, &summary) => {
            Whose::Open(Box::new(summary))
        }
        Some(_) => Whose::Anothers,
    })
}

impl<'a> FileView<'a> {
    /// Reads what the rules may ask for; `on_file` is the summary of the filing's own number, if the filer of
    /// the block may know of it.
    pub(super) fn read(
        sources: Sources<'a>,
        (asked, transaction): (Asked<'a>, &Transaction),
        on_file: Option<&EntrySummary>,
        (header, statements): (&ComparedData, &StatementCells),
        unit: &mut dyn Unit,
        now: &Zoned,
    ) -> Result<Self, StoreError> {
        let filing = asked.filing;
        let filer = if on_file.is_some() { &filing.key.filer } else { asked.filer };
        let filed = on_file
            .map(|summary| Filed::own(summary.clone(), filing, transaction, (header, now.date()), unit))
            .transpose()?;
        let warehouse = match &filing.warehouse {
            Some(named) => self::on_file(unit, &named.key, now)?
                .filter(|summary| owner::may_withdraw(asked.filer, filing, summary, sources.world))
                .map(|summary| Filed::warehouse(summary, &filing.key, unit))
                .transpose()?,
            None => None,
        };
        let releases = Releases::read(filing, filer, unit)?;
        let statement = statements.read(transaction.rows()).filter(|statement| statement.filer == filer);
        let is_printed = match statement {
            Some(statement) => unit.ledger()?.is_printed(&statement)?,
            None => false,
        };
        let today = now.date();
        Ok(Self { sources, filing, filer, today, filed, warehouse, releases, is_printed })
    }

    /// What the rules may ask for if nothing that a filing names is on file.
    pub(super) fn unseen(sources: Sources<'a>, Asked { filing, filer }: Asked<'a>, now: &Zoned) -> Self {
        let releases = Releases::unseen(filing, filer);
        let (filed, warehouse, today) = (None, None, now.date());
        Self { sources, filing, filer, today, filed, warehouse, releases, is_printed: false }
    }

    /// Whether nothing that the filing names is on file.
    pub(super) fn is_unseen(&self) -> bool {
        self.filed.is_none() && self.warehouse.is_none() && self.releases.is_unseen() && !self.is_printed
    }

    /// Whether a row of the world is another filer's.
    fn is_anothers(&self, list: &ListName, key: &str) -> bool {
        self.sources.filer_lists.is_anothers(&list.name, key, self.filer)
    }

    /// Whether a list tells what is on file.
    fn is_of_file(&self, list: &ListName) -> bool {
        list.place.is_none() && OF_FILE.contains(&&*list.name)
    }

    /// The summary on file behind a list.
    fn summary(&self, list: &str) -> Option<Option<&Filed>> {
        match list {
            "filed" => Some(self.filed.as_ref()),
            "filed_warehouse" => Some(self.warehouse.as_ref()),
            _ => None,
        }
    }
}

impl Reference for FileView<'_> {
    fn has(&self, list: &str, code: &str) -> Option<bool> {
        match list {
            "named_release" => self.releases.has(self.sources.world, code),
            // It is asked for by the date in the message, whose statement this is.
            "printed_statement" => Some(self.is_printed),
            "statement_month" => code.parse::<u8>().ok().map(|month| is_near(month, self.today)),
            _ => match self.summary(list) {
                Some(filed) => Some(filed.is_some()),
                None => self.sources.world.has(list, code),
            },
        }
    }

    fn value(&self, list: &str, code: &str, column: &str) -> Option<Cow<'_, str>> {
        match list {
            "named_release" => {
                self.releases.value(self.sources.world, &self.filing.key, code, column).map(Cow::Owned)
            }
            "releases" => self.releases.together(self.sources.world, column).map(Cow::Owned),
            _ => match self.summary(list) {
                Some(filed) => filed?.value(self.sources.grammar, column).map(Cow::Owned),
                None => self.sources.world.value(list, code, column),
            },
        }
    }

    fn row(&self, list: &ListName, code: &str) -> Row {
        if self.is_of_file(list) {
            return Row::Unnumbered;
        }
        match self.sources.world.row(list, code) {
            Row::NotHeld => Row::NotHeld,
            _ if self.is_anothers(list, code) => Row::Missing,
            row => row,
        }
    }

    fn cell(&self, list: &ListName, row: u32, column: &ColumnName) -> Option<&str> {
        self.sources.world.cell(list, row, column)
    }

    fn may_have(&self, list: &ListName, first: &str) -> bool {
        self.is_of_file(list) || !self.is_anothers(list, first) && self.sources.world.may_have(list, first)
    }

    fn tariff(&self) -> Option<&Tariff> {
        Reference::tariff(self.sources.world)
    }

    fn check_digit_offsets(&self, filer: &str) -> Cow<'_, [u8]> {
        Reference::check_digit_offsets(self.sources.world, filer)
    }
}

/// Whether a month is this one or soon.
fn is_near(month: u8, today: Date) -> bool {
    let this = today.month().unsigned_abs();
    (1..=12).contains(&month) && (month + 12 - this) % 12 <= STATEMENT_MONTHS
}

fn later(date: Date, span: Span) -> Date {
    date.saturating_add(span)
}

fn truth(holds: bool) -> String {
    holds.to_string()
}
