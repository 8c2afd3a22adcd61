//! What doors let in, whole and in any chunks.

use super::form::has_descriptor_words;
use super::*;
use crate::wire::{Columns, RECORD_LENGTH, records};

const BATCH: &str = "A2704EEEPASSWD080326     AE\nB2704EEEAE\n10AE\nY2704EEEAE\nZ2704EEEPASSWD080326\n";

/// What is let in, byte by byte and whole.
fn through(content: Content, bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let read = |size: usize| {
        let mut door = Door::new(content);
        let mut out = Vec::new();
        bytes.chunks(size).try_for_each(|chunk| door.push(chunk, &mut out))?;
        door.finish(&mut out).map(|()| out)
    };
    let whole = read(bytes.len().max(1));
    for size in [1, 7, 80] {
        assert_eq!(read(size), whole, "in chunks of {size}");
    }
    whole
}

fn lines(bytes: &[u8]) -> Vec<Columns> {
    records(bytes).map(|record| record.columns).collect()
}

/// The records in full columns, each behind `before` and ahead of `behind`.
fn framed(before: &str, behind: &str) -> Vec<u8> {
    let framed = |line: &str| format!("{before}{line:<80}{behind}");
    BATCH.lines().map(framed).collect::<String>().into_bytes()
}

#[track_caller]
fn reads_as_the_batch(bytes: &[u8]) {
    for content in [Content::Records, Content::Connection] {
        let columns = through(content, bytes).unwrap();
        assert_eq!(lines(&columns), lines(BATCH.as_bytes()), "{content:?} {}", columns.escape_ascii());
    }
}

#[test]
fn ordinary_records_pass_untouched() {
    for bytes in [BATCH.as_bytes().to_vec(), framed("", ""), framed("", "\r\n"), BATCH.to_lowercase().into()]
    {
        assert_eq!(through(Content::Records, &bytes).unwrap(), bytes);
        let mut door = Door::new(Content::Connection);
        door.push(&bytes, &mut Vec::new()).unwrap();
        assert!(door.is_open());
        assert_eq!((door.oddity(), door.separator()), (None, None));
    }
}

#[test]
fn byte_order_marks_are_skipped_and_utf_16_is_read() {
    reads_as_the_batch(format!("\u{feff}{BATCH}").as_bytes());
    for mark in ["", "\u{feff}"] {
        let text = format!("{mark}{BATCH}");
        reads_as_the_batch(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
        reads_as_the_batch(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
    }
    let text = "\u{feff}{\"name\": \"Müller €\u{1f600}\"}".to_owned();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(through(Content::Text, &wide).unwrap(), &text.as_bytes()[3..]);
    assert_eq!(
        through(Content::Text, &wide[..wide.len() - 1]),
        Err(Unreadable::BrokenUtf16 { offset: wide.len() as u64 - 2 })
    );
    let euro: Vec<u8> = BATCH.replace("10AE", "10€").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let refused = through(Content::Records, &euro);
    assert!(matches!(refused, Err(Unreadable::NoColumn { character: '€', .. })), "{refused:?}");
}

#[test]
fn records_are_read_whatever_ends_or_frames_them() {
    for end in ["\r", "\x0b", "\x1c", "\x1c\r", "\x1e", "\x0c", "\0", "\x03"] {
        reads_as_the_batch(&framed("", end));
        reads_as_the_batch(BATCH.replace('\n', end).as_bytes());
    }
    reads_as_the_batch(&framed("\x02", "\x03"));
    reads_as_the_batch(&[b"\x02", &*framed("", ""), b"\x03"].concat());
    reads_as_the_batch(&[b"\x0b", &*framed("", "\r"), b"\x1c\r"].concat());
    let mut door = Door::new(Content::Connection);
    door.push(&framed("", "\r"), &mut Vec::new()).unwrap();
    assert_eq!(door.separator(), Some(Separator::CarriageReturn));
}

#[test]
fn a_connection_is_read_as_soon_as_its_second_record_begins() {
    let stream = framed("", "\r");
    let mut door = Door::new(Content::Connection);
    let mut out = Vec::new();
    door.push(&stream[..RECORD_LENGTH + 2], &mut out).unwrap();
    assert_eq!(lines(&out), lines(&stream)[..1].iter().copied().chain([one('B')]).collect::<Vec<_>>());
}

fn one(letter: char) -> Columns {
    let mut columns = [b' '; RECORD_LENGTH];
    columns[0] = letter as u8;
    columns
}

#[test]
fn ebcdic_is_read_with_any_ends_of_lines_and_in_frames() {
    for encoding in [Encoding::Ebcdic037, Encoding::Ebcdic1047] {
        for (before, end) in
            [("", ""), ("", "\x15"), ("", "\x25"), ("", "\n"), ("", "\r\n"), ("", "\r"), ("\x02", "\x03")]
        {
            let record = |line: &str| {
                let mut columns = format!("{line:<80}").into_bytes();
                encoding.encode(&mut columns);
                [before.as_bytes(), &columns, end.as_bytes()].concat()
            };
            reads_as_the_batch(&BATCH.lines().flat_map(record).collect::<Vec<_>>());
        }
    }
}

#[test]
fn padding_behind_text_is_dropped() {
    for padding in ["\x1a", "\0\0\0", "\r\n\x1a"] {
        let text = format!("{{}}\n{padding}");
        let expected = text.replace(['\x1a', '\0'], "");
        assert_eq!(through(Content::Text, text.as_bytes()).unwrap(), expected.as_bytes());
    }
    let within = b"a\x1ab\0c\n";
    assert_eq!(through(Content::Text, within).unwrap(), within);
}

#[test]
fn what_is_no_batch_is_refused_in_one_sentence() {
    let cases: [(&[u8], &str); 8] = [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "looks like a PDF"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "looks like a JPEG picture"),
        (b"<!doctype html>\n<html>", "looks like HTML or XML"),
        (b"{\"batches\":[]}", "looks like JSON"),
        (b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "looks like an HTTP request"),
        (b"Dear customs,\nBut please find our entry below.\nYours\n", "none of its first lines begins"),
        (b"\x13\x37\x99\xfe\x88\x80\x10\xd3\xa0", "none of its first lines begins"),
        (b"HELLO WORLD\n", "none of its first lines begins"),
    ];
    for (bytes, says) in cases {
        let refused = through(Content::Records, bytes).unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
    }
    assert_eq!(through(Content::Connection, b"HELLO WORLD\n").unwrap(), b"HELLO WORLD\n");
    assert!(through(Content::Connection, b"POST /batches HTTP/1.1\r\n").is_err());
}

#[test]
fn a_batch_that_begins_wrong_is_still_a_batch() {
    let bodies = BATCH.split_once('\n').unwrap().1;
    for first in ["", "X\n", "\"A2704EEEPASSWD\n", "2704EEEPASSWD080326     AE\n", "    \n"] {
        let batch = format!("{first}{bodies}");
        assert_eq!(through(Content::Records, batch.as_bytes()).unwrap(), batch.as_bytes());
    }
}

#[test]
fn nothing_and_blanks_are_empty() {
    for nothing in ["", "\n", "   \r\n\x1a", "\0\0\0\0\0\0\0\0\0\0\0\0", "\u{feff}", "\u{feff}\n"] {
        for content in [Content::Records, Content::Text, Content::Rows] {
            assert_eq!(through(content, nothing.as_bytes()), Err(Unreadable::Empty), "{nothing:?}");
        }
        assert!(through(Content::Connection, nothing.as_bytes()).is_ok());
    }
    assert_eq!(text_of(b"\xef\xbb\xbf"), Ok(Vec::new()));
}

#[test]
fn record_descriptor_words_are_named() {
    let record = |text: &[u8]| [&[0, text.len() as u8 + 4, 0, 0], text].concat();
    let mut columns = one('A').to_vec();
    let ascii = record(&columns);
    Encoding::Ebcdic037.encode(&mut columns);
    let ebcdic = record(&columns);
    let block = [&[0, ebcdic.len() as u8 + 4, 0, 0], &*ebcdic].concat();
    for stream in [ascii, ebcdic, block] {
        assert_eq!(through(Content::Records, &stream), Err(Unreadable::DescriptorWords));
    }
    assert!(!has_descriptor_words(BATCH.as_bytes()));
    assert!(!has_descriptor_words(&[0; 80]));
}
