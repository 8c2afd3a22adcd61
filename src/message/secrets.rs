//! Where a password may stand in a line, also in one that is out of step.
//!
//! Only A- and Z-records hold one, but a line of which a byte was lost, added or changed is told to be
//! neither. So a line is judged by what it may be: where the fields stand that follow a password, there may
//! be one in front of them. Whoever shows records asks here which columns to hide.

use super::check::is_secret;
use crate::grammar::{ALL_COLUMNS, Field, Grammar};
use crate::wire::{Columns, RECORD_LENGTH};

/// Columns as bits: bit 0 is column 1.
type Mask = u128;

/// What is known of records that hold passwords.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    shapes: Vec<Shape>,
    /// The letters of all control records.
    control: Vec<u8>,
}

/// A record with a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Shape {
    letter: u8,
    password: Mask,
    /// The date behind it, and the filler behind that.
    date: Mask,
    gap: Mask,
    /// All fillers behind it.
    free: Mask,
}

/// What the columns of a line hold.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    blank: Mask,
    digit: Mask,
}

impl Secrets {
    /// The passwords of the envelope.
    #[must_use]
    pub fn new(grammar: &Grammar) -> Self {
        let mut secrets = Self::default();
        for layout in grammar.layouts().iter().filter(|layout| layout.application == "*") {
            let &[letter] = layout.record.as_bytes() else { continue };
            if !secrets.control.contains(&letter) {
                secrets.control.push(letter);
            }
            let Some(at) = layout.fields.iter().position(|field| is_secret(&field.name)) else { continue };
            let behind = &layout.fields[at + 1..];
            let columns = |mask, field: &Field| mask | field.cell.mask();
            let fillers = || behind.iter().filter(|field| field.is_filler());
            let is_other = |field: &&Field| !field.is_filler();
            let shape = Shape {
                letter,
                password: layout.fields[at].cell.mask(),
                date: behind.iter().find(|field| field.holds_date()).map_or(0, |field| field.cell.mask()),
                gap: behind
                    .iter()
                    .skip_while(is_other)
                    .take_while(|field| field.is_filler())
                    .fold(0, columns),
                free: fillers().fold(0, columns),
            };
            if !secrets.shapes.contains(&shape) {
                secrets.shapes.push(shape);
            }
        }
        secrets
    }

    /// The columns of a line that may hold a password. Outside of a block a header or trailer is awaited,
    /// so that a line may be one however little it looks like it; within a block only a line that looks
    /// like one is suspected, and never one that is a good record of something else.
    #[must_use]
    pub fn columns(&self, row: &Columns, is_outside: bool) -> u128 {
        let held = Held::of(row);
        let letter = row[0].to_ascii_uppercase();
        if self.shapes.iter().any(|shape| shape.letter == letter) {
            return self.of_header(letter, held);
        }
        if is_outside && !self.control.contains(&letter) {
            return self.of_stray(row, held);
        }
        self.anywhere(|shape| shape.is_likely(row, held))
    }

    /// Fills the columns of passwords in the records of a batch. Records of blocks stay as they are: without
    /// their layouts nothing tells which of them are good.
    pub fn cover(&self, rows: &mut [Columns], sign: u8) {
        let mut is_inside = false;
        for row in rows {
            let letter = row[0].to_ascii_uppercase();
            if self.control.contains(&letter) {
                is_inside = letter == b'B';
            } else if is_inside {
                continue;
            }
            let hidden = self.columns(row, true);
            cover(row, hidden, sign);
        }
    }

    /// Of a record that begins as one with a password does.
    fn of_header(&self, letter: u8, held: Held) -> Mask {
        let own = || self.shapes.iter().filter(|shape| shape.letter == letter);
        let columns = own().fold(0, |mask, shape| mask | shape.password);
        if own().any(|shape| shape.is_in_step(held)) {
            return columns;
        }
        match self.anywhere(|shape| shape.is_possible(held)) {
            // Nothing tells where it stands: it may be anywhere behind the letter.
            0 => ALL_COLUMNS & !1,
            found => columns | found,
        }
    }

    /// Of a line that stands where a header or trailer is awaited.
    fn of_stray(&self, row: &Columns, held: Held) -> Mask {
        let junk = row.iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count();
        let begins =
            |letter: &u8| self.shapes.iter().any(|shape| shape.letter == letter.to_ascii_uppercase());
        if junk > 0 && row.get(junk).is_some_and(begins) {
            return ALL_COLUMNS << junk & ALL_COLUMNS;
        }
        self.anywhere(|shape| shape.is_possible(held))
    }

    /// The passwords of all shapes, moved by any number of columns, that pass a test.
    fn anywhere(&self, passes: impl Fn(&Shape) -> bool) -> Mask {
        let moved = self.shapes.iter().flat_map(Shape::moved);
        moved.filter(|shape| passes(shape)).fold(0, |mask, shape| mask | shape.password)
    }
}

/// Fills the columns of a mask.
pub fn cover(row: &mut Columns, mask: u128, sign: u8) {
    row.iter_mut().enumerate().filter(|(at, _)| mask >> at & 1 == 1).for_each(|(_, byte)| *byte = sign);
}

impl Shape {
    /// The shape with each of its columns moved so far to the left or right that the password is still
    /// within the record.
    fn moved(&self) -> impl Iterator<Item = Self> {
        let most_left = self.password.trailing_zeros();
        let most_right = RECORD_LENGTH as u32 - (u128::BITS - self.password.leading_zeros());
        let shape = *self;
        let by = move |shift: fn(Mask, u32) -> Mask, columns: u32| {
            let moved = |mask| shift(mask, columns) & ALL_COLUMNS;
            let [password, date, gap, free] = [shape.password, shape.date, shape.gap, shape.free].map(moved);
            Self { password, date, gap, free, ..shape }
        };
        let left = (1..=most_left).map(move |columns| by(|mask, by| mask >> by, columns));
        left.chain((0..=most_right).map(move |columns| by(|mask, by| mask << by, columns)))
    }

    /// Whether the fields behind the password stand where they should: then so does the password.
    fn is_in_step(&self, held: Held) -> bool {
        let last = 1 << (u128::BITS - 1 - self.password.leading_zeros());
        let date = self.date & held.digit;
        // A date that is wrong but fills its columns, behind columns without a gap.
        let whole = (self.date | (self.date - 1)) & held.blank == 0 && date.count_ones() >= 3;
        held.is_blank(self.gap)
            && (date == self.date || whole || held.is_blank(self.date) && !held.is_blank(last))
    }

    /// Whether what stands behind these columns may stand behind a password.
    fn is_possible(&self, held: Held) -> bool {
        let has_date = self.date != 0 && self.date & held.digit == self.date;
        let is_full = self.password & held.blank == 0;
        held.is_blank(self.gap)
            && (has_date && !held.is_blank(self.password) || held.is_blank(self.date) && is_full)
    }

    /// Whether what stands before and behind these columns is what stands around a password: at the
    /// beginning of a line, behind the code of a sender, and ahead of a date (month, day, year).
    fn is_likely(&self, row: &Columns, held: Held) -> bool {
        const SENDER: u32 = 3;
        const FARTHEST: u32 = 16;
        let first = self.password.trailing_zeros();
        if !(SENDER..=FARTHEST).contains(&first) || self.date & held.digit != self.date {
            return false;
        }
        let digits = row.get(self.date.trailing_zeros() as usize..).and_then(<[u8]>::first_chunk::<4>);
        let Some(&[month_tens, month, day_tens, day]) = digits else { return false };
        let is_date =
            (*b"01"..=*b"12").contains(&[month_tens, month]) && (*b"01"..=*b"31").contains(&[day_tens, day]);
        let before = (1 << first) - (1 << (first - SENDER));
        is_date && (self.password | before) & held.blank == 0 && held.is_blank(self.free)
    }
}

impl Held {
    fn of(row: &Columns) -> Self {
        let mut held = Self::default();
        for (at, byte) in row.iter().enumerate() {
            held.blank |= Mask::from(*byte == b' ' || byte.is_ascii_control()) << at;
            held.digit |= Mask::from(byte.is_ascii_digit()) << at;
        }
        held
    }

    fn is_blank(self, mask: Mask) -> bool {
        mask & !self.blank == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::{Checker, Explainer, Form, HtmlPage, RecordsWriter, TextPage};
    use crate::wire::{Limits, Splitter, records};

    const PASSWORD: &str = "QZ7XKW";
    const HEADER: &str = "A2704EEEQZ7XKW080326     AE";
    const BODY: &str = "B2704EEEAE\n10AE\nY2704EEEAE\n";
    const TRAILER: &str = "Z2704EEEQZ7XKW080326\n";

    fn row(text: &str) -> Columns {
        let mut columns = [b' '; RECORD_LENGTH];
        for (column, byte) in columns.iter_mut().zip(text.bytes()) {
            *column = byte;
        }
        columns
    }

    fn hidden(text: &str, is_outside: bool) -> String {
        let mut columns = row(text);
        let hidden = Secrets::new(Grammar::builtin()).columns(&columns, is_outside);
        cover(&mut columns, hidden, b'*');
        String::from_utf8_lossy(&columns).trim_end().to_owned()
    }

    #[test]
    fn a_good_record_hides_its_password_only() {
        for (shown, text) in [
            ("A2704EEE******080326     AE", HEADER),
            ("a2704eee******080326     ae", "a2704eeeqz7xkw080326     ae"),
            ("Z2704EEE******080326", TRAILER.trim_end()),
            ("A2704EEE******           QP", "A2704EEEQZ7XKW           QP"),
            // a date that is wrong can be seen
            ("A2704EEE******13X226     AE", "A2704EEEQZ7XKW13X226     AE"),
            ("B2704EEEAE", "B2704EEEAE"),
        ] {
            assert_eq!(hidden(text, true), shown);
        }
        let detail = "50  39241020 0000100000 0000080326   EE";
        assert_eq!(hidden(detail, false), detail);
    }

    #[test]
    fn a_record_out_of_step_hides_what_may_be_the_password() {
        for text in [
            "\"A2704EEEQZ7XKW080326     AE\"",
            " A2704EEEQZ7XKW080326     AE",
            "2704EEEQZ7XKW080326     AE",
            "EEEQZ7XKW080326     AE",
            "QZ7XKW080326     AE",
            "X2704EEEQZ7XKW080326     AE",
            "B2704EEEQZ7XKW080326     AE",
            "A 2 7 0 4 E E E QZ7XKW080326     AE",
            "AX2704EEEQZ7XKW",
            "A2704EEEQZ7XKW,080326,AE",
        ] {
            assert!(!hidden(text, true).contains(PASSWORD), "{}", hidden(text, true));
        }
        for text in ["ZZ2704EEEQZ7XKW080326", "2704EEEQZ7XKW080326", "27A04EEEQZ7XKW080326     AE"] {
            assert!(!hidden(text, false).contains(PASSWORD), "{}", hidden(text, false));
        }
    }

    /// All that the library tells of a stream, each way that it tells it.
    fn told(stream: &[u8]) -> Vec<(&'static str, String)> {
        let grammar = Grammar::builtin();
        let mut findings = String::new();
        let mut checker = Checker::new(grammar, Some("file"));
        let mut splitter = Splitter::new(Limits { line_length: 1 << 20, ..Limits::default() });
        let mut sink = |finding: crate::message::Finding| {
            let json = serde_json::to_string(&finding).unwrap_or_default();
            findings.push_str(&format!("{finding}\n{json}\n{}\n{:?}\n", finding.record_text, finding.help));
        };
        let _ = splitter.push(stream, &mut |line| checker.line(&line, &mut sink));
        let _ = splitter.finish(&mut |line| checker.line(&line, &mut sink));
        checker.finish(&mut sink);
        let rows: Vec<Columns> = records(stream).map(|record| record.columns).collect();
        let explained = |html: bool| {
            let mut out = Vec::new();
            if html {
                let mut page = Explainer::new(grammar, HtmlPage::new(&mut out, "file"));
                rows.iter().for_each(|row| page.push(row).unwrap());
                page.finish().map(drop).unwrap();
            } else {
                let mut page = Explainer::new(grammar, TextPage::new(&mut out, false, true));
                rows.iter().for_each(|row| page.push(row).unwrap());
                page.finish().map(drop).unwrap();
            }
            String::from_utf8_lossy(&out).into_owned()
        };
        let json = |lines: bool| {
            let form = Form { lines, canonical: false, mask_passwords: true };
            let mut writer = RecordsWriter::new(grammar, form, Vec::new());
            rows.iter().for_each(|row| writer.push(row).unwrap());
            String::from_utf8_lossy(&writer.finish().unwrap()).into_owned()
        };
        let mut kept = rows.clone();
        Secrets::new(grammar).cover(&mut kept, b' ');
        vec![
            ("findings", findings),
            ("explanation", explained(false)),
            ("page", explained(true)),
            ("JSON", json(false)),
            ("lines of JSON", json(true)),
            ("store", String::from_utf8_lossy(&kept.concat()).into_owned()),
        ]
    }

    /// A change of one byte or some, before the password.
    fn change() -> impl Strategy<Value = (usize, usize, Vec<u8>)> {
        let byte = prop_oneof![
            (b' '..=b'~').prop_map(|byte| byte),
            Just(b' '),
            Just(b'"'),
            Just(0xef),
            Just(0),
            Just(2),
            any::<u8>().prop_filter("no line feed", |byte| *byte != b'\n'),
        ];
        (0_usize..8, 0_usize..4, proptest::collection::vec(byte, 0..4))
    }

    fn changed(text: &str, changes: &[(usize, usize, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for (at, removed, added) in changes {
            let Some(password) = memchr::memmem::find(&bytes, PASSWORD.as_bytes()) else { continue };
            let at = (*at).min(password);
            let end = (at + removed).min(password);
            bytes.splice(at..end, added.iter().copied());
        }
        bytes
    }

    proptest! {
        #[test]
        fn no_output_shows_the_password_of_a_changed_record(
            header in proptest::collection::vec(change(), 0..3),
            trailer in proptest::collection::vec(change(), 0..2),
            padded in any::<bool>(),
            separator in prop_oneof![Just("\n"), Just("\r\n"), Just("")],
            cut in prop_oneof![3 => Just(usize::MAX), 1 => Just(14_usize), 1 => Just(20)],
        ) {
            let mut stream = Vec::new();
            let lines = [HEADER].into_iter().chain(BODY.lines()).chain([TRAILER.trim_end()]);
            for (index, line) in lines.enumerate() {
                let mut line = match index {
                    0 => changed(&line[..line.len().min(cut)], &header),
                    4 => changed(line, &trailer),
                    _ => line.as_bytes().to_vec(),
                };
                if padded || separator.is_empty() {
                    line.resize(line.len().max(RECORD_LENGTH), b' ');
                }
                stream.extend_from_slice(&line);
                stream.extend_from_slice(separator.as_bytes());
            }
            for (what, text) in told(&stream) {
                prop_assert!(!text.contains(PASSWORD), "{what} of {:?}: {text}", stream.escape_ascii().to_string());
            }
        }
    }
}
