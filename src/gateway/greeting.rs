//! What a peer speaks that does not speak TLS, told by its first bytes.

use std::io;

use tokio::net::TcpStream;

/// How many bytes tell what a peer speaks.
const ENOUGH: usize = 8;

/// A handshake record, which every TLS connection begins with.
const HANDSHAKE: u8 = 22;

/// Looks at the first bytes of a connection without taking them; waits until there is one. Returns `None`
/// if they may begin a TLS handshake, or else what the peer speaks.
pub(super) async fn foreign(stream: &TcpStream) -> io::Result<Option<&'static str>> {
    let mut bytes = [0; ENOUGH];
    let count = stream.peek(&mut bytes).await?;
    Ok(spoken(&bytes[..count]))
}

fn spoken(bytes: &[u8]) -> Option<&'static str> {
    const METHODS: [&[u8]; 9] =
        [b"GET ", b"POST", b"HEAD", b"PUT ", b"DELE", b"OPTI", b"CONN", b"PATC", b"TRAC"];
    let first = *bytes.first()?;
    let is_http = METHODS.iter().any(|method| bytes.starts_with(method));
    match first {
        HANDSHAKE => None,
        _ if is_http || bytes.starts_with(b"PRI *") => Some("HTTP"),
        _ if bytes.starts_with(b"SSH-") => Some("SSH"),
        // "A", and the site code that follows it
        0xC1 if bytes[1..].iter().all(|byte| matches!(byte, 0xF0..=0xF9 | 0xC1..=0xE9 | 0x40)) => {
            Some("records in EBCDIC")
        }
        b'A' | b'a' if bytes[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ') => {
            Some("records without TLS")
        }
        _ => Some("something else"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_what_a_peer_speaks() {
        let cases: [(&[u8], Option<&str>); 8] = [
            (b"\x16\x03\x01\x02\x00\x01\x00\x01", None),
            (b"", None),
            (b"GET / HT", Some("HTTP")),
            (b"PRI * HT", Some("HTTP")),
            (b"A2704EEE", Some("records without TLS")),
            (b"\xC1\xF2\xF7\xF0\xF4\xC5\xC5\xC5", Some("records in EBCDIC")),
            (b"SSH-2.0-", Some("SSH")),
            (b"\x00\x01", Some("something else")),
        ];
        for (bytes, said) in cases {
            assert_eq!(spoken(bytes), said, "{bytes:?}");
        }
    }
}
