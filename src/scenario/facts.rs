//! What a story may ask of a summary on file.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::host::WarehouseBalance;
use crate::store::{EntryKey, EntrySummary, StoreError, Unit, WarningQuery};

/// What may be asked. Each is a text; what is not there is the empty one. Of a summary that is not on file
/// only the state is known: `none`.
pub const FACTS: [&str; 16] = [
    "balance",
    "corrected",
    "due",
    "entry_date",
    "entry_type",
    "final_withdrawal",
    "liquidation_date",
    "owner",
    "port",
    "recipient",
    "reconciled",
    "request",
    "state",
    "team",
    "version",
    "warnings",
];

/// How many Census warnings are looked at.
const MOST_WARNINGS: u32 = 1000;

/// The facts of a summary, by their names.
pub(super) fn facts(
    unit: &mut dyn Unit,
    entry: &EntryKey,
    balance: Option<&WarehouseBalance>,
) -> Result<BTreeMap<&'static str, String>, StoreError> {
    let Some(summary) = unit.entry_summary(entry)? else {
        return Ok(BTreeMap::from([("state", "none".to_owned())]));
    };
    let query = WarningQuery {
        filer: &entry.filer,
        number: Some(&entry.number),
        most: MOST_WARNINGS,
        ..WarningQuery::default()
    };
    let warnings = unit.census_warnings(&query)?;
    let warning = warnings.iter().map(|one| words(&[&one.line, &one.hts, &one.code]));
    let mut facts = of_summary(&summary);
    facts.insert("balance", balance.map(remaining).unwrap_or_default());
    facts.insert("warnings", warning.collect::<Vec<_>>().join(", "));
    Ok(facts)
}

fn of_summary(summary: &EntrySummary) -> BTreeMap<&'static str, String> {
    let standing = &summary.standing;
    let recipient = standing.recipient.as_ref().map(|to| words(&[&to.site, &to.id, &to.office]));
    BTreeMap::from([
        ("corrected", summary.corrected.to_string()),
        ("due", shown(standing.due)),
        ("entry_date", shown(summary.entry_date)),
        ("entry_type", summary.entry_type.clone()),
        ("final_withdrawal", summary.final_withdrawal.to_string()),
        ("liquidation_date", shown(summary.liquidation_date)),
        ("owner", shown(standing.owner.as_ref().map(|owner| owner.filer.clone()))),
        ("port", summary.port.clone()),
        ("recipient", shown(recipient)),
        ("reconciled", summary.reconciled.to_string()),
        ("request", standing.request.clone()),
        ("state", summary.state.name().to_owned()),
        ("team", standing.team.clone()),
        ("version", summary.version.to_string()),
    ])
}

/// What is left in a warehouse, by tariff number and unit.
fn remaining(balance: &WarehouseBalance) -> String {
    let lines = balance.lines.iter().map(|line| {
        let left = (line.entered - line.withdrawn).normalize();
        format!("{} {left} {}", line.hts_number, line.unit)
    });
    lines.chain(balance.closed.then(|| "closed".to_owned())).collect::<Vec<_>>().join(", ")
}

fn shown(value: Option<impl Display>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn words(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}
