//! Records as a story writes them: a line each, without the spaces at its end.
//!
//! A line `@repeat COUNT` begins lines that stand there so many times, up to a line `@end`. In them each
//! run of `@` is the number of the turn, from 1, with as many digits.

use crate::wire::Columns;

const REPEAT: &str = "@repeat ";
const END: &str = "@end";
/// The most turns; a batch of more lines than any message can have is a slip of the pen.
const MOST_TURNS: u32 = 100_000;

/// The records of a text.
///
/// # Errors
/// A line is longer than a record, has characters beyond ASCII, or a repetition is not written well.
pub(super) fn records(text: &str) -> Result<Vec<Columns>, String> {
    let mut rows = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(count) = line.strip_prefix(REPEAT) else {
            rows.push(record(line)?);
            continue;
        };
        let turns = count.trim().parse::<u32>().ok().filter(|turns| *turns <= MOST_TURNS);
        let turns = turns.ok_or_else(|| format!("{count:?} is no number of turns"))?;
        let mut body = Vec::new();
        loop {
            match lines.next() {
                Some(END) => break,
                Some(line) => body.push(line),
                None => return Err(format!("a repetition without {END}")),
            }
        }
        for turn in 1..=turns {
            for line in &body {
                rows.push(record(&numbered(line, turn))?);
            }
        }
    }
    Ok(rows)
}

/// The text of records, with an end of line behind each.
pub(super) fn text(rows: &[Columns]) -> String {
    rows.iter().map(|row| String::from_utf8_lossy(row).trim_end().to_owned() + "\n").collect()
}

fn record(line: &str) -> Result<Columns, String> {
    let mut row = [b' '; 80];
    if !line.is_ascii() || line.len() > row.len() {
        return Err(format!("{line:?} is no record of 80 columns"));
    }
    row[..line.len()].copy_from_slice(line.as_bytes());
    Ok(row)
}

fn numbered(line: &str, turn: u32) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('@') {
        let width = rest[start..].bytes().take_while(|&byte| byte == b'@').count();
        text.push_str(&rest[..start]);
        text.push_str(&format!("{turn:0width$}"));
        rest = &rest[start + width..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn repeated_lines_carry_their_number() {
        let rows = records("A\n@repeat 12\n40  @@@ X\n@end\nZ\n").unwrap();
        assert_eq!(rows.len(), 14);
        assert!(rows[12].starts_with(b"40  012 X "));
        assert!(text(&rows).ends_with("40  012 X\nZ\n"));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for text in ["\u{e9}", &"X".repeat(81), "@repeat x\n@end", "@repeat 2\nA"] {
            assert!(records(text).is_err(), "{text}");
        }
    }
}
