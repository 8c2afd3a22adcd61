//! What a transaction is known by: its entry number, its importer and its totals.

use rust_decimal::Decimal;

use super::super::outline::Item;

/// The fields by which people know an entry summary, wherever they stand.
const FILER: &str = "entry_filer_code";
const NUMBER: &str = "entry_number";
const IMPORTER: &str = "importer_of_record_number";
/// With what the names of the totals of a summary begin.
const TOTAL: &str = "grand_total_";

/// What a transaction is known by; empty or `None` is what it does not say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Headline {
    /// The entry number, as `EEE-0000101-5`.
    pub entry: String,
    /// The number of the importer of record.
    pub importer: String,
    /// The sum of its grand totals.
    pub total: Option<Decimal>,
}

impl Headline {
    pub(super) fn of(items: &[Item<'_>]) -> Self {
        let mut headline = Self::default();
        for item in items {
            let Some(layout) = item.layout else { continue };
            let text = |name: &str| layout.field(name).map_or("", |field| field.cell.text(&item.row));
            if headline.entry.is_empty() {
                headline.entry = entry(text(FILER), text(NUMBER));
            }
            if headline.importer.is_empty() {
                text(IMPORTER).clone_into(&mut headline.importer);
            }
            for field in layout.fields.iter().filter(|field| field.name.starts_with(TOTAL)) {
                if let Ok(Some(amount)) = field.cell.decimal(&item.row) {
                    headline.total = headline.total.unwrap_or_default().checked_add(amount);
                }
            }
        }
        headline
    }

    /// Whether it is the entry of this number, written with hyphens and spaces or without.
    pub(super) fn is_entry(&self, number: &str) -> bool {
        let signs = |text: &str| {
            let signs = text.bytes().filter(u8::is_ascii_alphanumeric);
            signs.map(|sign| sign.to_ascii_uppercase()).collect::<Vec<_>>()
        };
        !self.entry.is_empty() && signs(&self.entry) == signs(number)
    }
}

/// Filer code, number and check digit with hyphens between, as entry numbers are written.
fn entry(filer: &str, number: &str) -> String {
    match number.split_at_checked(7) {
        _ if filer.is_empty() || number.is_empty() => String::new(),
        Some((number, digit)) if !digit.is_empty() => format!("{filer}-{number}-{digit}"),
        _ => format!("{filer}-{number}"),
    }
}
