//! What a filing declares beside what it owes.

use rust_decimal::Decimal;
use serde::Serialize;

use super::assess::{Assessment, Owed};
use crate::model::EntrySummaryFiling;

/// An amount as declared and as computed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Compared {
    /// The line, from 1; nothing for the summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The tariff number, case, accounting class or total.
    pub subject: String,
    /// What is declared; nothing if the filing does not have it.
    pub declared: Option<Decimal>,
    /// What is owed; nothing if it may not be declared.
    pub owed: Option<Decimal>,
}

impl Compared {
    /// Whether both are the same; nothing is the same as zero.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.declared.unwrap_or_default() == self.owed.unwrap_or_default()
    }
}

/// Every amount of a filing beside what is owed: numbers, cases, tax and fees line by line, then fees and
/// totals of the summary.
#[must_use]
pub fn compare(filing: &EntrySummaryFiling, assessment: &Assessment) -> Vec<Compared> {
    let mut rows = Vec::new();
    for (index, (line, owed)) in filing.lines.iter().zip(&assessment.lines).enumerate() {
        let mut push = |subject: String, declared, owed| {
            rows.push(Compared { line: Some(index + 1), subject, declared, owed });
        };
        for (tariff, duty) in line.tariffs.iter().zip(&owed.duties) {
            push(tariff.hts_number.to_string(), Some(tariff.duty), Some(*duty));
        }
        for (case, duty) in line.cases.iter().zip(&owed.cases) {
            push(case.number.to_string(), Some(case.duty), Some(*duty));
        }
        if let Some(tax) = &line.tax {
            let owed = owed.tax.filter(|owed| owed.class == tax.class).map(|owed| owed.amount);
            push(tax.class.to_string(), Some(tax.amount), owed);
        }
        let declared = line.fees.iter().map(|fee| Owed { class: fee.class, amount: fee.amount });
        pair(&declared.collect::<Vec<_>>(), &owed.fees, &mut push);
    }
    let mut push = |subject: String, declared, owed| {
        rows.push(Compared { line: None, subject, declared, owed });
    };
    let totals = filing.fee_totals.iter();
    let totals = totals.map(|total| Owed { class: total.class, amount: total.amount.unwrap_or_default() });
    pair(&totals.collect::<Vec<_>>(), &assessment.fee_totals, &mut push);
    let declared = filing.grand_totals.as_ref();
    let owed = assessment.totals;
    for (name, declared, owed) in [
        ("duty", declared.and_then(|totals| totals.duty), owed.duty),
        ("fees", declared.and_then(|totals| totals.fees), owed.fees),
        ("tax", declared.and_then(|totals| totals.tax), owed.tax),
        ("antidumping duty", declared.and_then(|totals| totals.antidumping), owed.antidumping()),
        ("countervailing duty", declared.and_then(|totals| totals.countervailing), owed.countervailing()),
    ] {
        push(format!("total {name}"), declared, Some(owed));
    }
    rows
}

/// Amounts by class: those declared, and those owed that are not declared.
fn pair(declared: &[Owed], owed: &[Owed], push: &mut impl FnMut(String, Option<Decimal>, Option<Decimal>)) {
    let amount = |of: &[Owed], class| of.iter().find(|owed| owed.class == class).map(|owed| owed.amount);
    for fee in declared {
        push(fee.class.to_string(), Some(fee.amount), amount(owed, fee.class));
    }
    for fee in owed.iter().filter(|fee| amount(declared, fee.class).is_none()) {
        push(fee.class.to_string(), None, Some(fee.amount));
    }
}
