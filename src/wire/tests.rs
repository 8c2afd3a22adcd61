//! How streams are cut, whole and in any chunks.

use proptest::prelude::*;

use super::*;

/// A record's place and columns.
fn cut(chunks: &[&[u8]], limits: Limits) -> (Vec<Record>, Option<Separator>, Option<LimitExceeded>) {
    let mut splitter = Splitter::new(limits);
    let mut found = Vec::new();
    let mut sink = |line: Line<'_>| found.push(line.to_record());
    let mut exceeded = None;
    for chunk in chunks {
        exceeded = splitter.push(chunk, &mut sink).err().or(exceeded);
    }
    exceeded = splitter.finish(&mut sink).err().or(exceeded);
    (found, splitter.separator(), exceeded)
}

fn row(first: char) -> String {
    format!("{first:-<80}")
}

/// Number, offset, length, defect and text without the spaces at its end.
fn shape(stream: &str) -> Vec<(u64, u64, usize, Option<Defect>, String)> {
    records(stream.as_bytes())
        .map(|record| {
            let text = String::from_utf8_lossy(&record.columns).trim_end().to_owned();
            (record.number, record.offset, record.length, record.defect, text)
        })
        .collect()
}

#[test]
fn nothing_holds_no_record() {
    for stream in ["", "\n", "\r\n\r\n\n"] {
        assert!(shape(stream).is_empty());
    }
}

#[test]
fn the_three_separators_are_told_apart() {
    for (separator, kind) in
        [("", Separator::None), ("\n", Separator::LineFeed), ("\r\n", Separator::CarriageReturnLineFeed)]
    {
        let stream = [row('A'), row('B')].join(separator);
        let expected = [(1, 0, 80, None, row('A')), (2, 80 + separator.len() as u64, 80, None, row('B'))];
        assert_eq!(shape(&stream), expected);
        let (_, found, _) = cut(&[stream.as_bytes()], Limits::default());
        assert_eq!(found, Some(kind));
    }
}

#[test]
fn short_lines_are_padded_and_no_defect() {
    let expected = [(1, 0, 2, None, "A1".to_owned()), (2, 3, 3, None, "B12".to_owned())];
    assert_eq!(shape("A1\nB12\n"), expected);
    assert_eq!(shape("A1\nB12"), expected);
    assert_eq!(shape("A1\nB12\r"), expected, "half a separator at the end");
}

#[test]
fn padding_leaves_nothing_of_the_line_before() {
    let stream = format!("{}\nB\n\r\n\rC\n", row('A').trim_end_matches('-'));
    assert_eq!(shape(&stream)[1..], [(2, 2, 1, None, "B".to_owned()), (3, 6, 2, None, "\rC".to_owned())]);
}

#[test]
fn an_unseparated_record_that_ends_early_is_short() {
    let stream = row('A') + "B12";
    let expected = (2, 80, 3, Some(Defect::Short { found: 3 }), "B12".to_owned());
    assert_eq!(shape(&stream)[1], expected);
    assert_eq!(shape("A12"), [(1, 0, 3, Some(Defect::Short { found: 3 }), "A12".to_owned())]);
}

#[test]
fn a_long_line_keeps_its_length() {
    let stream = format!("A\n{}xyz\r\nC\n", row('B'));
    let long = (2, 2, 83, Some(Defect::Long { found: 83 }), row('B'));
    assert_eq!(shape(&stream), [(1, 0, 1, None, "A".to_owned()), long, (3, 87, 1, None, "C".to_owned())]);
}

#[test]
fn a_first_line_that_goes_on_with_spaces_is_a_line() {
    let spaces = " ".repeat(20);
    let stream = format!("{}{spaces}\n{}{spaces}\n", row('A'), row('B'));
    let defect = Some(Defect::Long { found: 100 });
    let expected = [(1, 0, 100, defect, row('A')), (2, 101, 100, defect, row('B'))];
    assert_eq!(shape(&stream), expected);
}

#[test]
fn blank_records_at_the_end_of_an_unseparated_stream_are_records() {
    let stream = row('A') + &" ".repeat(100);
    let blank = |number, found, defect| (number, 80 * (number - 1), found, defect, String::new());
    let short = Some(Defect::Short { found: 20 });
    assert_eq!(shape(&stream), [(1, 0, 80, None, row('A')), blank(2, 80, None), blank(3, 20, short)]);
    let cut_off = row('A') + "\r";
    assert_eq!(shape(&cut_off), [(1, 0, 80, None, row('A'))]);
}

#[test]
fn lines_with_sequence_numbers_behind_column_80_are_lines() {
    let stream = format!("{}00000001\n{}00000002\n", row('A'), row('B'));
    let defect = Some(Defect::Long { found: 88 });
    assert_eq!(shape(&stream), [(1, 0, 88, defect, row('A')), (2, 89, 88, defect, row('B'))]);
}

#[test]
fn padding_behind_a_batch_is_none_of_the_next_one() {
    for padding in ["\x1a", "\0\0\0", "\n\0\n\x1a\r\n", "\u{feff}"] {
        let lines = format!("{}\n{padding}{}\n{padding}", row('Z'), row('A'));
        let found = shape(&lines);
        assert_eq!(found[1], (2, 81 + padding.len() as u64, 80, None, row('A')), "{padding:?}");
        let unseparated = format!("{}{}{padding}{}", row('Y'), row('Z'), row('A'));
        assert_eq!(shape(&unseparated)[2], (3, 160 + padding.len() as u64, 80, None, row('A')));
    }
    let at_end = format!("{}\n\0\0\0\n\x1a", row('Z'));
    assert_eq!(shape(&at_end).len(), 1);
    // a blank line is a line, and what pads the stream behind it is none
    let blank = format!("{}\n\0\n   \n\u{feff}{}\n", row('Z'), row('A'));
    assert_eq!(shape(&blank)[2], (3, 90, 80, None, row('A')));
}

#[test]
fn what_looks_like_padding_within_a_batch_is_a_column() {
    let stream = format!("{}\n\0B\n", row('A'));
    assert_eq!(shape(&stream)[1], (2, 81, 2, None, "\0B".to_owned()));
}

#[test]
fn two_short_lines_of_eighty_bytes_are_two() {
    let stream = format!("A\n{}\nB\n{}\n", "-".repeat(78), "+".repeat(78));
    assert_eq!(shape(&stream).len(), 4);
}

#[test]
fn the_carriage_return_before_a_line_feed_is_never_a_column() {
    let stream = format!("{}\n{}\r\n{}\n", row('A'), &row('B')[..79], row('C'));
    let found = shape(&stream);
    assert_eq!(found[1], (2, 81, 79, None, row('B')[..79].to_owned()));
    assert_eq!(found[2], (3, 162, 80, None, row('C')));
}

#[test]
fn empty_lines_between_batches_are_skipped() {
    let lines = format!("\n{}\n\r\n\n{}\n\n", row('Z'), row('A'));
    assert_eq!(shape(&lines), [(1, 1, 80, None, row('Z')), (2, 85, 80, None, row('A'))]);
    let unseparated = format!("{}{}\r\n{}\n", row('Y'), row('Z'), row('A'));
    assert_eq!(shape(&unseparated)[2], (3, 162, 80, None, row('A')));
    assert_eq!(shape(&unseparated).len(), 3);
}

#[test]
fn any_byte_may_stand_in_a_column() {
    let stream: Vec<u8> = (0..=u8::MAX).filter(|byte| *byte != b'\n').collect();
    let found: Vec<u8> = records(&stream).flat_map(|record| record.columns).collect();
    assert_eq!(found[..255], stream);
}

#[test]
fn a_line_beyond_the_limit_ends_the_stream() {
    let limits = Limits { line_length: 90, ..Limits::default() };
    let stream = [b"A\n", [b'-'; 91].as_slice(), b"\nC\n"].concat();
    let (found, _, exceeded) = cut(&[&stream], limits);
    assert_eq!(found.len(), 1);
    assert_eq!(exceeded, Some(LimitExceeded { limit: Limit::LineLength, allowed: 90, number: 2, offset: 2 }));
    let within = [b"A\n", [b'-'; 90].as_slice(), b"\r\n"].concat();
    assert_eq!(cut(&[&within], limits).2, None);
}

#[test]
fn a_splitter_goes_on_after_a_last_record_without_separator() {
    let mut splitter = Splitter::new(Limits::default());
    let mut found = Vec::new();
    for chunk in ["A\r\nZ", "\r\nA\r\nZ", "\nA"] {
        let mut sink = |line: Line<'_>| found.push((line.number, line.offset));
        splitter.push(chunk.as_bytes(), &mut sink).unwrap();
        splitter.finish(&mut sink).unwrap();
    }
    assert_eq!(found, [(1, 0), (2, 3), (3, 6), (4, 9), (5, 11)]);
}

#[test]
fn debug_output_tells_no_columns() {
    let record = records(b"A    SECRET").next().unwrap();
    let mut splitter = Splitter::new(Limits::default());
    splitter.push(b"A    SECRET", &mut |_| ()).unwrap();
    assert!(!format!("{record:?} {:?} {splitter:?}", record.as_line()).contains("SECRET"));
}

/// The obvious way to cut a whole stream, once it is known how it is separated.
fn cut_plainly(stream: &[u8], separator: Option<Separator>) -> Vec<(Columns, usize, usize)> {
    let mut found = Vec::new();
    let mut add = |start: usize, bytes: &[u8]| {
        let mut columns = [b' '; RECORD_LENGTH];
        for (column, byte) in columns.iter_mut().zip(bytes) {
            *column = *byte;
        }
        if !bytes.is_empty() {
            found.push((columns, start, bytes.len()));
        }
    };
    let mut at = 0;
    let is_padding = |byte: u8| [0, 0x1a, 0xef, 0xbb, 0xbf].contains(&byte);
    let mut is_between = false;
    if separator == Some(Separator::None) {
        while at < stream.len() {
            if stream[at] == b'\n' || is_between && is_padding(stream[at]) {
                at += 1;
            } else if stream[at..].starts_with(b"\r\n") {
                at += 2;
            } else {
                let end = stream.len().min(at + RECORD_LENGTH);
                add(at, &stream[at..end]);
                is_between = stream[at] | 0x20 == b'z';
                at = end;
            }
        }
    } else {
        for line in stream.split(|byte| *byte == b'\n') {
            let padding = line.iter().take_while(|byte| is_between && is_padding(**byte)).count();
            let columns = &line[padding..];
            let columns = columns.strip_suffix(b"\r").unwrap_or(columns);
            add(at + padding, columns);
            is_between = columns.first().map_or(is_between, |first| first | 0x20 == b'z');
            at += line.len() + 1;
        }
    }
    found
}

/// Streams in which everything that matters to cutting happens often.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => Just(b"\n".to_vec()),
        3 => Just(b"\r\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        1 => (75_usize..85).prop_map(|length| vec![b' '; length]),
        4 => (b'A'..=b'Z').prop_map(|byte| vec![byte; RECORD_LENGTH]),
        2 => (b'0'..=b'9', 77_usize..84).prop_map(|(byte, length)| vec![byte; length]),
        1 => (0_usize..180).prop_map(|length| vec![b'x'; length]),
        1 => proptest::collection::vec(any::<u8>(), 0..5),
        1 => Just(vec![b'Z'; RECORD_LENGTH]),
        1 => proptest::collection::vec(prop_oneof![Just(0), Just(0x1a), Just(0xef), Just(b'\n')], 0..9),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_chunks_give_the_same_records(
        stream in streams(),
        sizes in proptest::collection::vec(0_usize..170, 1..30),
        line_length in prop_oneof![3 => Just(1024_usize), 1 => 80_usize..170],
    ) {
        let limits = Limits { line_length, ..Limits::default() };
        let whole = cut(&[&stream], limits);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(&cut(&bytes, limits), &whole);

        let mut rest = &stream[..];
        let mut chunks = Vec::new();
        for size in sizes {
            let (chunk, after) = rest.split_at(size.min(rest.len()));
            chunks.push(chunk);
            rest = after;
        }
        chunks.push(rest);
        prop_assert_eq!(&cut(&chunks, limits), &whole);
    }

    #[test]
    fn fast_cutting_equals_the_obvious_one(stream in streams()) {
        let (found, separator, _) = cut(&[&stream], Limits { line_length: usize::MAX, ..Limits::default() });
        let places: Vec<_> =
            found.iter().map(|record| (record.columns, record.offset as usize, record.length)).collect();
        prop_assert_eq!(places, cut_plainly(&stream, separator));
        prop_assert!(found.iter().zip(1..).all(|(record, number)| record.number == number));
        prop_assert_eq!(records(&stream).collect::<Vec<_>>(), found);
    }
}
