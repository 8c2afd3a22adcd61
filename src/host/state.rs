//! The conditions that what is on file decides (entry summary chapter, ESF-132, ESF-183, ESF-184).

use jiff::civil::Date;
use jiff::{Span, Zoned};

use super::World;
use super::filing::{Action, Filing};
use crate::grammar::{ConditionCode, Conditions};
use crate::rules::{Place, Raised};
use crate::store::{ControlState, EntryKey, EntrySummary, StoreError, Unit};

/// How far behind its entry date a summary may be corrected, in days (B48).
const CORRECTION_DAYS: i64 = 269;
/// How close to its liquidation a summary can no longer be corrected, in days (B51).
const LIQUIDATION_DAYS: i64 = 15;
/// How long goods may stay in a warehouse, in years (304).
const WAREHOUSE_YEARS: i64 = 5;
/// How many days the releases of a consolidated summary may lie apart (244).
const RELEASE_DAYS: i64 = 7;
/// After how many months from liquidation an entry number may be used again (ESF-132).
const REUSE_MONTHS: i64 = 120;

/// What judges a filing by the file.
pub(super) struct StateRules<'a> {
    pub(super) conditions: &'a Conditions,
    pub(super) world: &'a World,
    pub(super) filing: &'a Filing,
    /// The position of the header record, to which the conditions point.
    pub(super) header: u32,
    pub(super) now: &'a Zoned,
}

/// The accepted summary of the entry, unless its number is free again.
pub(super) fn on_file(
    unit: &mut dyn Unit,
    key: &EntryKey,
    now: &Zoned,
) -> Result<Option<EntrySummary>, StoreError> {
    let is_free = |summary: &EntrySummary| {
        summary.state == ControlState::Liquidated
            && summary
                .liquidation_date
                .is_some_and(|date| later(date, Span::new().months(REUSE_MONTHS)) <= now.date())
    };
    Ok(unit.entry_summary(key)?.filter(|summary| !is_free(summary)))
}

impl StateRules<'_> {
    /// The conditions of a filing, given the summary on file.
    pub(super) fn judge(
        &self,
        on_file: Option<&EntrySummary>,
        unit: &mut dyn Unit,
    ) -> Result<Vec<Raised>, StoreError> {
        let mut raised = Vec::new();
        match self.filing.action {
            None => return Ok(raised),
            Some(Action::Delete) => self.delete(on_file, unit, &mut raised)?,
            Some(_) if self.filing.is_correction => self.correction(on_file, &mut raised),
            Some(_) => self.ordinary(on_file, unit, &mut raised)?,
        }
        if self.filing.action != Some(Action::Delete) {
            self.type_change(on_file, unit, &mut raised)?;
            self.warehouse(unit, &mut raised)?;
            self.releases(unit, &mut raised)?;
        }
        Ok(raised)
    }

    fn delete(
        &self,
        on_file: Option<&EntrySummary>,
        unit: &mut dyn Unit,
        raised: &mut Vec<Raised>,
    ) -> Result<(), StoreError> {
        let state = on_file.map(|summary| summary.state);
        let withdrawn = on_file.is_some() && !unit.withdrawals(&self.filing.key)?.is_empty();
        // An accepted summary can never be deleted, not even one that CBP has rejected (ESF-132).
        let is_held = is_under_cbp_control(state) || state == Some(ControlState::Rejected);
        self.raise(
            raised,
            [
                ("B25", on_file.is_none()),
                ("B29", is_held),
                ("B30", state == Some(ControlState::Liquidated)),
                ("B31", state == Some(ControlState::Cancelled)),
                ("B32", on_file.is_some_and(|summary| summary.port != self.filing.port)),
                ("B66", withdrawn),
            ],
        );
        Ok(())
    }

    fn ordinary(
        &self,
        on_file: Option<&EntrySummary>,
        unit: &mut dyn Unit,
        raised: &mut Vec<Raised>,
    ) -> Result<(), StoreError> {
        let filing = self.filing;
        let state = on_file.map(|summary| summary.state);
        let is_rejected = state == Some(ControlState::Rejected);
        let is_corrected = on_file.is_some_and(|summary| summary.corrected);
        let is_consolidated = unit.consolidated_into(&filing.key)?.is_some_and(|into| into != filing.key);
        let profile = self.world.filer(&filing.key.filer);
        let must_refer = profile.is_some_and(|filer| filer.requires_broker_reference());
        let is_other = |summary: &EntrySummary| summary.broker_reference != filing.broker_reference;
        self.raise(
            raised,
            [
                ("B28", is_consolidated),
                ("B29", is_under_cbp_control(state) && !is_corrected),
                ("B30", state == Some(ControlState::Liquidated)),
                ("B31", state == Some(ControlState::Cancelled)),
                ("B32", on_file.is_some_and(|summary| summary.port != filing.port)),
                (
                    "B33",
                    is_rejected && on_file.is_some_and(|summary| summary.entry_type != filing.entry_type),
                ),
                ("B34", must_refer && filing.broker_reference.is_empty()),
                ("B35", filing.action == Some(Action::Add) && on_file.is_some_and(is_other)),
                ("B54", is_corrected),
                ("217", is_rejected && filing.has_payment),
                ("263", !is_rejected && !filing.has_payment),
            ],
        );
        Ok(())
    }

    fn correction(&self, on_file: Option<&EntrySummary>, raised: &mut Vec<Raised>) {
        let Some(summary) = on_file else {
            return self.raise(raised, [("B42", true)]);
        };
        let today = self.now.date();
        let too_late = |date| later(date, Span::new().days(CORRECTION_DAYS)) < today;
        let too_close = |date| later(today, Span::new().days(LIQUIDATION_DAYS)) >= date;
        let is_open = summary.state != ControlState::Liquidated;
        self.raise(
            raised,
            [
                ("B44", summary.port != self.filing.port),
                ("B45", summary.state == ControlState::TradeControl),
                ("B46", summary.state == ControlState::Rejected),
                ("B47", summary.state == ControlState::CbpControl),
                ("B48", is_open && summary.entry_date.is_some_and(too_late)),
                ("B50", !is_open),
                ("B51", is_open && summary.liquidation_date.is_some_and(too_close)),
                ("B52", summary.reconciled),
                ("B56", summary.state == ControlState::Cancelled),
                ("B59", summary.state == ControlState::UnderReview),
                ("286", summary.importer != self.filing.importer),
            ],
        );
    }

    /// A warehouse entry that has been withdrawn from stays one.
    fn type_change(
        &self,
        on_file: Option<&EntrySummary>,
        unit: &mut dyn Unit,
        raised: &mut Vec<Raised>,
    ) -> Result<(), StoreError> {
        let changed = on_file.is_some_and(|summary| {
            is_warehouse(&summary.entry_type) && summary.entry_type != self.filing.entry_type
        });
        let withdrawn = changed && !unit.withdrawals(&self.filing.key)?.is_empty();
        self.raise(raised, [("B65", withdrawn)]);
        Ok(())
    }

    fn warehouse(&self, unit: &mut dyn Unit, raised: &mut Vec<Raised>) -> Result<(), StoreError> {
        let Some(named) = &self.filing.warehouse else { return Ok(()) };
        let Some(warehouse) = on_file(unit, &named.key, self.now)? else {
            self.raise(raised, [("298", true)]);
            return Ok(());
        };
        let is_paid = matches!(
            warehouse.state,
            ControlState::Paid | ControlState::UnderReview | ControlState::Rejected
        );
        let expires = warehouse.import_date.map(|date| later(date, Span::new().years(WAREHOUSE_YEARS)));
        let withdrawals = unit.withdrawals(&named.key)?;
        let is_finalized = withdrawals.iter().any(|other| other.is_final && other.entry != self.filing.key);
        self.raise(
            raised,
            [
                ("299", !is_warehouse(&warehouse.entry_type)),
                ("300", !named.port.is_empty() && warehouse.port != named.port),
                ("301", is_paid),
                ("302", warehouse.state == ControlState::Liquidated),
                ("303", warehouse.state == ControlState::Cancelled),
                ("304", self.filing.entry_date.zip(expires).is_some_and(|(entry, expires)| entry > expires)),
                ("305", is_finalized),
            ],
        );
        Ok(())
    }

    fn releases(&self, unit: &mut dyn Unit, raised: &mut Vec<Raised>) -> Result<(), StoreError> {
        let filing = self.filing;
        let mut days = Vec::new();
        let mut modes = Vec::new();
        for release in &filing.releases {
            let place = Place {
                signpost: "CONREL".to_owned(),
                occurrence: release.occurrence,
                record: release.record,
                item: release.item,
            };
            let into = unit.consolidated_into(&release.key)?;
            let elsewhere = into.is_some_and(|into| into != filing.key);
            let key = format!("{} {}", release.key.filer, release.key.number);
            let column = |column| self.world.column("release", &key, column);
            let is_known = self.world.lists("release", &key);
            let day = column("released").and_then(|day| day.parse::<Date>().ok());
            let district = |port: &str| port.get(..2).map(str::to_owned);
            days.extend(day);
            modes.extend(column("mot"));
            self.raise_at(
                raised,
                place,
                [
                    ("237", is_known == Some(false)),
                    ("241", is_known == Some(true) && day.is_none()),
                    ("242", column("port").is_some_and(|port| district(port) != district(&filing.port))),
                    ("243", elsewhere),
                ],
            );
        }
        let own = format!("{} {}", filing.key.filer, filing.key.number);
        let spread = days.iter().min().zip(days.iter().max());
        let too_far =
            spread.is_some_and(|(first, last)| later(*first, Span::new().days(RELEASE_DAYS)) < *last);
        self.raise(
            raised,
            [
                ("230", filing.is_consolidated && self.world.lists("release", &own) == Some(true)),
                ("244", too_far),
                ("247", modes.iter().any(|mode| *mode != modes[0])),
            ],
        );
        Ok(())
    }

    /// Raises conditions of the summary as a whole.
    fn raise<const N: usize>(&self, raised: &mut Vec<Raised>, found: [(&str, bool); N]) {
        let place = Place { signpost: "SUMMRY".to_owned(), occurrence: 0, record: self.header, item: 0 };
        self.raise_at(raised, place, found);
    }

    fn raise_at<const N: usize>(&self, raised: &mut Vec<Raised>, place: Place, found: [(&str, bool); N]) {
        for code in
            found.into_iter().filter(|(_, holds)| *holds).filter_map(|(code, _)| ConditionCode::new(code))
        {
            let severity = self.conditions.get("AE", code).map(|condition| condition.severity);
            raised.push(Raised {
                code,
                severity: severity.unwrap_or(crate::grammar::Severity::Fatal),
                record: place.record,
                places: vec![place.clone()],
                cell: None,
            });
        }
    }
}

/// Whether CBP has accepted the summary and not given it back.
fn is_under_cbp_control(state: Option<ControlState>) -> bool {
    matches!(state, Some(ControlState::CbpControl | ControlState::Paid | ControlState::UnderReview))
}

/// Whether goods of this entry type go into a warehouse (299).
fn is_warehouse(entry_type: &str) -> bool {
    matches!(entry_type, "21" | "22")
}

fn later(date: Date, span: Span) -> Date {
    date.saturating_add(span)
}
