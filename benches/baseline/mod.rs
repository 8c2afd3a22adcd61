//! The measure of all others.

/// Finds each next newline and nothing else; how many there are.
pub fn next_newlines(mut rest: &[u8]) -> u64 {
    let mut count = 0;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        count += 1;
        rest = &rest[end + 1..];
    }
    count
}
