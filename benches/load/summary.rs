//! Valid entry summaries of any number of lines, each with its own entry number.

use abigate::grammar::{Cell, Direction, Grammar};
use abigate::rules::check_digit;
use abigate::wire::{Columns, Limits, Splitter};
use rust_decimal::Decimal;

use super::Failure;

/// A batch with an entry summary of three lines: what they declare is what is owed.
const SAMPLE: &str = include_str!("../../samples/entry_summary/good/01-vessel-three-lines.abi");

/// The filer of the sample.
const FILER: &str = "EEE";

/// The most that the merchandise processing fee of a summary can be, in dollars, on the sample's date.
const MOST_PROCESSING_FEE: Decimal = Decimal::from_parts(65_150, 0, 0, false, 2);

/// A batch with one summary, into which any entry number can be put.
#[derive(Debug)]
pub struct Summary {
    rows: Vec<Columns>,
    header: usize,
    entry_number: Cell,
}

impl Summary {
    /// A summary of so many lines: those of the sample over and over, and their totals.
    pub fn new(lines: usize) -> Result<Self, Failure> {
        let grammar = Grammar::builtin();
        let cell = |record: &str, field: &str| -> Result<Cell, Failure> {
            Ok(grammar.find("AE", Direction::Input, record, "")?.cell(field)?)
        };
        let mut sample = Vec::new();
        let mut splitter = Splitter::new(Limits::default());
        splitter.push(SAMPLE.as_bytes(), &mut |line| sample.push(*line.columns))?;
        splitter.finish(&mut |line| sample.push(*line.columns))?;
        let is = |row: &Columns, record: &str| row.starts_with(record.as_bytes());
        let first = sample.iter().position(|row| is(row, "40")).ok_or("no line")?;
        let end = sample.iter().position(|row| is(row, "89")).ok_or("no totals")?;
        let groups = sample[first..end].chunk_by(|_, next| !is(next, "40")).collect::<Vec<_>>();

        let identifier = cell("40", "line_item_identifier")?;
        let (duty, class, fee) = (
            cell("50", "duty_amount")?,
            cell("62", "accounting_class_code")?,
            cell("62", "user_fee_amount")?,
        );
        let (mut total_duty, mut fees) = (Decimal::ZERO, [Decimal::ZERO; 2]);
        let mut rows = sample[..first].to_vec();
        for (number, group) in (1..=lines).zip(groups.iter().cycle()) {
            for row in *group {
                let mut row = *row;
                match &row[..2] {
                    b"40" => identifier.put_text(&mut row, &format!("{number:03}"))?,
                    b"50" => total_duty += duty.decimal(&row)?.unwrap_or_default(),
                    b"62" => {
                        let fee = fee.decimal(&row)?.unwrap_or_default();
                        fees[usize::from(!class.holds(&row, "499"))] += fee;
                    }
                    _ => {}
                }
                rows.push(row);
            }
        }
        fees[0] = fees[0].min(MOST_PROCESSING_FEE);
        for mut row in sample[end..].iter().copied() {
            if is(&row, "89") {
                for (fee, name) in fees.iter().zip(["total_fee_amount_1", "total_fee_amount_2"]) {
                    cell("89", name)?.put_decimal(&mut row, *fee)?;
                }
            } else if is(&row, "90") {
                cell("90", "grand_total_duty_amount")?.put_decimal(&mut row, total_duty)?;
                cell("90", "grand_total_user_fee_amount")?.put_decimal(&mut row, fees.iter().sum())?;
            }
            rows.push(row);
        }
        let header = rows.iter().position(|row| is(row, "10")).ok_or("no header")?;
        // a replacement where the number is on file, an addition where it is not
        cell("10", "summary_filing_action_request_code")?.put_text(&mut rows[header], "R")?;
        Ok(Self { rows, header, entry_number: cell("10", "entry_number")? })
    }

    /// The batch with an entry number of its own, the same for the same number.
    pub fn batch(&self, number: u64) -> Vec<u8> {
        // behind those of the demo world; where digits are used up, a letter goes on
        let number = match number + 500_000 {
            number @ ..10_000_000 => format!("{number:07}"),
            beyond => format!("A{:06}", (beyond - 10_000_000) % 1_000_000),
        };
        let digit = check_digit(FILER, &number).unwrap_or_default();
        let mut bytes = Vec::with_capacity(self.rows.len() * 81);
        for (index, row) in self.rows.iter().enumerate() {
            let mut row = *row;
            if index == self.header {
                self.entry_number.put_text(&mut row, &format!("{number}{digit}")).unwrap_or_default();
            }
            bytes.extend_from_slice(&row);
            bytes.push(b'\n');
        }
        bytes
    }
}

/// Whether an answer accepts the summary of its batch.
pub fn is_accepted(answer: &[u8]) -> bool {
    answer.split(|&byte| byte == b'\n').any(|row| row.starts_with(b"E1A"))
}
