//! Findings, in the words of the grammar.

use super::Checker;
use super::envelope::{CONTROL_RECORDS, Control, Scope};
use crate::grammar::{Cell, ConditionCode, Layout, Severity, Values};
use crate::message::finding::Finding;
use crate::message::judge::{FieldTrouble, Trouble, judge};
use crate::message::secrets::cover;
use crate::wire::Columns;

impl Checker<'_> {
    /// Whether a checker raises a condition for a field of a record by itself.
    pub(crate) fn tells(layout: &Layout, columns: &Columns, cell: Cell, code: ConditionCode) -> bool {
        let mut is_told = false;
        judge(layout, columns, |trouble| {
            is_told |= trouble.field.cell == cell && condition_of(&trouble).1 == Some(code);
        });
        is_told
    }

    pub(super) fn field_finding(
        &self,
        layout: &Layout,
        columns: &Columns,
        trouble: &FieldTrouble<'_>,
    ) -> Finding {
        let field = trouble.field;
        let (severity, code) = condition_of(trouble);
        let mut finding = self.finding(severity, code, columns);
        finding.record_id.clone_from(&layout.record);
        finding.layout = Some(layout.id);
        finding.field = Some(field.name.clone());
        finding.columns = Some((trouble.first, trouble.last));
        let hidden = self.hidden(columns, self.is_outside());
        if (trouble.first..=trouble.last).all(|column| hidden >> (column - 1) & 1 == 0) {
            finding.found = shown(&columns[trouble.first - 1..trouble.last]);
        }
        finding.expected = self.expected(trouble);
        finding.help =
            (trouble.trouble == Trouble::Unknown).then(|| self.nearest(trouble, columns)).flatten();
        if code.is_none() {
            finding.message = words(trouble.trouble).to_owned();
        }
        finding
    }

    fn expected(&self, trouble: &FieldTrouble<'_>) -> String {
        let field = trouble.field;
        match trouble.trouble {
            Trouble::Nonstandard => "a character of a standard keyboard".to_owned(),
            Trouble::FilledFiller => "spaces".to_owned(),
            Trouble::LowerCase => "upper case".to_owned(),
            Trouble::NotADate => {
                format!("a calendar date {}", field.cell.date_format().unwrap_or_default().name())
            }
            Trouble::Missing | Trouble::WrongClass => {
                format!("class {}, {}", field.cell.class(), field.element)
            }
            Trouble::Unknown => {
                let values = std::iter::once(&field.values).chain(&field.also);
                values.map(Values::in_table).collect::<Vec<_>>().join(" or ")
            }
        }
    }

    /// The valid code that is most like what was found.
    fn nearest(&self, trouble: &FieldTrouble<'_>, columns: &Columns) -> Option<String> {
        let found = trouble.field.cell.text(columns).to_ascii_uppercase();
        let mut codes = Vec::new();
        for values in std::iter::once(&trouble.field.values).chain(&trouble.field.also) {
            match values {
                Values::Any => {}
                Values::Constant(text) => codes.push((text.as_str(), None)),
                Values::OneOf(texts) => codes.extend(texts.iter().map(|text| (text.as_str(), None))),
                Values::List(name) => {
                    let list = self.grammar.list(name)?;
                    codes.extend(list.codes().map(|code| (code, list.meaning(code))));
                }
            }
        }
        let (code, meaning) =
            codes.into_iter().min_by_key(|(code, _)| distance(code.as_bytes(), found.as_bytes()))?;
        Some(match meaning {
            Some(meaning) => format!("nearest is {code:?}, {meaning}"),
            None => format!("nearest is {code:?}"),
        })
    }

    pub(super) fn envelope_fault(&self, code: &str, expected: &str, report: &mut dyn FnMut(Finding)) {
        let mut finding = self.finding(Severity::Fatal, ConditionCode::new(code), &[b' '; 80]);
        finding.record_id = String::new();
        finding.expected = expected.to_owned();
        report(finding);
    }

    /// The columns in which a password may stand.
    fn hidden(&self, columns: &Columns, is_outside: bool) -> u128 {
        self.secrets.columns(columns, is_outside)
    }

    /// Whether the record in hand stands outside of every block.
    pub(super) fn is_outside(&self) -> bool {
        self.scope != Scope::Block
    }

    /// The first columns of a record that is not known, which may be its identifier.
    pub(super) fn identifier(&self, columns: &Columns, is_outside: bool) -> String {
        const LONGEST: usize = 4;
        let mut covered = *columns;
        cover(&mut covered, self.hidden(columns, is_outside), b'*');
        shown(&covered[..LONGEST])
    }

    /// A record for a drawing: one sign a column, no password.
    fn masked(&self, columns: &Columns, is_outside: bool) -> String {
        let sign = |&byte: &u8| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' };
        let mut covered = *columns;
        cover(&mut covered, self.hidden(columns, is_outside), b'*');
        covered.iter().map(sign).collect::<String>().trim_end().to_owned()
    }

    pub(super) fn finding(
        &self,
        severity: Severity,
        condition: Option<ConditionCode>,
        columns: &Columns,
    ) -> Finding {
        self.finding_at(severity, condition, columns, self.is_outside())
    }

    /// A finding about a record that may be another than the one in hand: outside of every block, where a line
    /// may be a header or trailer out of step, or within one.
    pub(crate) fn finding_at(
        &self,
        severity: Severity,
        condition: Option<ConditionCode>,
        columns: &Columns,
        is_outside: bool,
    ) -> Finding {
        let own = self.named.as_ref().map_or("", |desk| desk.code.as_str());
        let known = condition.and_then(|code| self.grammar.condition(own, code));
        Finding {
            position: self.position.clone(),
            severity: known.map_or(severity, |known| known.severity),
            condition,
            message: known.map(|known| known.narrative.clone()).unwrap_or_default(),
            application: own.to_owned(),
            layout: None,
            record_id: match Control::of(columns) {
                Some(control) => CONTROL_RECORDS[control as usize].to_owned(),
                None => self.identifier(columns, is_outside).trim_end().to_owned(),
            },
            field: None,
            columns: None,
            found: String::new(),
            expected: String::new(),
            record_text: self.masked(columns, is_outside),
            help: None,
            rule: None,
        }
    }
}

/// The condition of a field's trouble, if there is one, and how grave the trouble is.
fn condition_of(trouble: &FieldTrouble<'_>) -> (Severity, Option<ConditionCode>) {
    let own = &trouble.field.conditions;
    match trouble.trouble {
        Trouble::Nonstandard => (Severity::Fatal, ConditionCode::new("X40")),
        Trouble::FilledFiller => (Severity::Fatal, ConditionCode::new("X39")),
        Trouble::LowerCase => (Severity::Informational, None),
        Trouble::Missing => (Severity::Fatal, own.missing),
        Trouble::WrongClass | Trouble::NotADate => (Severity::Fatal, own.invalid.or(own.unknown)),
        Trouble::Unknown => (Severity::Fatal, own.unknown.or(own.invalid)),
    }
}

/// Passwords never stand in a finding.
pub(in crate::message) fn is_secret(field: &str) -> bool {
    field.contains("password")
}

pub(in crate::message) fn words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Nonstandard => "character is not of a standard keyboard",
        Trouble::LowerCase => "lower case is read as upper case",
        Trouble::FilledFiller => "data in filler",
        Trouble::Missing => "mandatory field is blank",
        Trouble::WrongClass => "value is not of its class",
        Trouble::NotADate => "not a calendar date",
        Trouble::Unknown => "value is not known",
    }
}

/// Bytes for a diagnostic: what cannot be printed becomes an escape.
pub(super) fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// How many single changes lead from one code to another (Levenshtein).
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row = (0..=other.len()).collect::<Vec<_>>();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let substitution = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or(one.len())
}
