//! What a stream may be instead of batches, told by how it begins.

use super::super::RECORD_LENGTH;
use super::{Content, Unreadable};

/// How files of other kinds begin.
const FOREIGN: [(&[u8], &str); 21] = [
    (b"%PDF", "a PDF"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "an SQLite database"),
    (b"-----BEGIN ", "a PEM file, such as a certificate or a key"),
    (b"{", "JSON"),
    (b"[", "JSON"),
    (b"<", "HTML or XML"),
    (b"ISA*", "an X12 interchange"),
    (b"UNB+", "an EDIFACT interchange"),
    (b"UNA:", "an EDIFACT interchange"),
];

/// How requests of HTTP begin, which a browser or a probe may send to a gateway.
const HTTP: [&[u8]; 6] = [b"GET /", b"POST /", b"HEAD /", b"PUT /", b"OPTIONS ", b"PRI * HTTP"];

/// Whether columns as they are read, from the first that says something, may be batches; `None` if more
/// bytes are needed.
///
/// A file has to begin as no other kind does, and one of its first lines as a record. On a connection only
/// what is meant for another protocol is refused.
pub(super) fn judge(columns: &[u8], content: Content, is_whole: bool) -> Result<Option<()>, Unreadable> {
    if HTTP.iter().any(|begin| columns.starts_with(begin)) {
        return Err(Unreadable::Foreign("an HTTP request"));
    }
    if content == Content::Connection {
        return Ok(Some(()));
    }
    if let Some(kind) = foreign(columns) {
        return Err(Unreadable::Foreign(kind));
    }
    let mut lines = columns.split(|byte| byte.is_ascii_control()).flat_map(|line| line.chunks(RECORD_LENGTH));
    if lines.any(begins_as_a_record) {
        return Ok(Some(()));
    }
    if is_whole { Err(Unreadable::NoRecords) } else { Ok(None) }
}

/// What kind of file it is that begins with these bytes, if it is one that holds no batches.
pub(super) fn foreign(start: &[u8]) -> Option<&'static str> {
    FOREIGN.iter().find(|(begin, _)| start.starts_with(begin)).map(|(_, name)| *name)
}

/// Whether a line begins as records do: with the letter of a control record, or with an identifier that has
/// a digit, and with letters of one case only, as no sentence begins.
fn begins_as_a_record(line: &[u8]) -> bool {
    const BEGINNING: usize = 8;
    let start = &line[..line.len().min(BEGINNING)];
    let [first, second, ..] = start else { return false };
    let is_control = b"ABYZ".contains(&first.to_ascii_uppercase());
    let has_digit = first.is_ascii_digit() || second.is_ascii_digit();
    let has = |test: fn(&u8) -> bool| start.iter().any(test);
    let is_plain = start.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
    let is_upper = !has(u8::is_ascii_lowercase);
    let is_lower = !has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
    first.is_ascii_alphanumeric()
        && second.is_ascii_alphanumeric() | (is_control && *second == b' ')
        && (is_control || has_digit && is_plain)
        && (is_upper || is_lower)
}
