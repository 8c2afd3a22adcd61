//! Character encodings of record streams: ASCII and the EBCDIC code pages 037 and 1047.
//!
//! Both pages stand for the same 256 characters of ISO 8859-1, one byte each, so a table each way is
//! all there is to it, and whatever goes through one comes back. Columns are the ISO 8859-1 bytes:
//! up to 127 that is ASCII, and what is beyond is left for whoever may not take it.

use std::fmt;

use memchr::memchr3;
use wide::u8x16;

/// How bytes stand for characters.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Encoding {
    /// ASCII, as the interface asks for.
    #[default]
    Ascii,
    /// EBCDIC code page 037: United States, Canada, and what most exports of IBM hosts use.
    Ebcdic037,
    /// EBCDIC code page 1047: open systems on z/OS. Six characters stand elsewhere than in 037.
    Ebcdic1047,
}

/// ISO 8859-1 by the bytes of code page 037.
const FROM_037: [u8; 256] = *b"\
\x00\x01\x02\x03\x9c\x09\x86\x7f\x97\x8d\x8e\x0b\x0c\x0d\x0e\x0f\
\x10\x11\x12\x13\x9d\x85\x08\x87\x18\x19\x92\x8f\x1c\x1d\x1e\x1f\
\x80\x81\x82\x83\x84\x0a\x17\x1b\x88\x89\x8a\x8b\x8c\x05\x06\x07\
\x90\x91\x16\x93\x94\x95\x96\x04\x98\x99\x9a\x9b\x14\x15\x9e\x1a\
\x20\xa0\xe2\xe4\xe0\xe1\xe3\xe5\xe7\xf1\xa2\x2e\x3c\x28\x2b\x7c\
\x26\xe9\xea\xeb\xe8\xed\xee\xef\xec\xdf\x21\x24\x2a\x29\x3b\xac\
\x2d\x2f\xc2\xc4\xc0\xc1\xc3\xc5\xc7\xd1\xa6\x2c\x25\x5f\x3e\x3f\
\xf8\xc9\xca\xcb\xc8\xcd\xce\xcf\xcc\x60\x3a\x23\x40\x27\x3d\x22\
\xd8\x61\x62\x63\x64\x65\x66\x67\x68\x69\xab\xbb\xf0\xfd\xfe\xb1\
\xb0\x6a\x6b\x6c\x6d\x6e\x6f\x70\x71\x72\xaa\xba\xe6\xb8\xc6\xa4\
\xb5\x7e\x73\x74\x75\x76\x77\x78\x79\x7a\xa1\xbf\xd0\xdd\xde\xae\
\x5e\xa3\xa5\xb7\xa9\xa7\xb6\xbc\xbd\xbe\x5b\x5d\xaf\xa8\xb4\xd7\
\x7b\x41\x42\x43\x44\x45\x46\x47\x48\x49\xad\xf4\xf6\xf2\xf3\xf5\
\x7d\x4a\x4b\x4c\x4d\x4e\x4f\x50\x51\x52\xb9\xfb\xfc\xf9\xfa\xff\
\x5c\xf7\x53\x54\x55\x56\x57\x58\x59\x5a\xb2\xd4\xd6\xd2\xd3\xd5\
\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\xb3\xdb\xdc\xd9\xda\x9f";

/// What stands elsewhere in code page 1047: the byte and its character.
const DIFFERENT_IN_1047: [(u8, u8); 6] =
    [(0x5f, 0x5e), (0xad, 0x5b), (0xb0, 0xac), (0xba, 0xdd), (0xbb, 0xa8), (0xbd, 0x5d)];

static TABLES_037: Tables = Tables::new(FROM_037);
static TABLES_1047: Tables = Tables::new(with_differences(FROM_037));

struct Tables {
    decoded: [u8; 256],
    encoded: [u8; 256],
    /// As `decoded`, with a line feed for each of EBCDIC's two ends of a line.
    lines: [u8; 256],
}

impl Tables {
    const fn new(decoded: [u8; 256]) -> Self {
        let mut encoded = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            encoded[decoded[byte] as usize] = byte as u8;
            byte += 1;
        }
        let mut lines = decoded;
        lines[Encoding::EBCDIC_NEW_LINE as usize] = b'\n';
        Self { decoded, encoded, lines }
    }
}

const fn with_differences(mut page: [u8; 256]) -> [u8; 256] {
    let mut index = 0;
    while index < DIFFERENT_IN_1047.len() {
        let (byte, character) = DIFFERENT_IN_1047[index];
        page[byte as usize] = character;
        index += 1;
    }
    page
}

impl Encoding {
    /// All encodings.
    pub const ALL: [Self; 3] = [Self::Ascii, Self::Ebcdic037, Self::Ebcdic1047];
    /// EBCDIC's new line (NEL), which ends the lines of z/OS text files.
    pub const EBCDIC_NEW_LINE: u8 = 0x15;
    /// EBCDIC's line feed.
    pub const EBCDIC_LINE_FEED: u8 = 0x25;
    /// How many bytes [`Encoding::detect`] needs at most.
    pub const LOOKED_AT: usize = super::RECORD_LENGTH;

    /// The name in grammar files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::Ebcdic037 => "cp037",
            Self::Ebcdic1047 => "cp1047",
        }
    }

    /// The encoding with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.name() == name)
    }

    /// Whether it is one of the EBCDIC pages.
    #[must_use]
    pub fn is_ebcdic(self) -> bool {
        self != Self::Ascii
    }

    /// The byte of a space.
    #[must_use]
    pub fn space(self) -> u8 {
        if self.is_ebcdic() { 0x40 } else { b' ' }
    }

    fn tables(self) -> Option<&'static Tables> {
        match self {
            Self::Ascii => None,
            Self::Ebcdic037 => Some(&TABLES_037),
            Self::Ebcdic1047 => Some(&TABLES_1047),
        }
    }

    /// The character of a byte, as ISO 8859-1.
    #[must_use]
    pub fn decode_byte(self, byte: u8) -> u8 {
        self.tables().map_or(byte, |tables| tables.decoded[usize::from(byte)])
    }

    /// The byte of a character; `None` for one that the encoding does not have.
    #[must_use]
    pub fn encode_char(self, character: char) -> Option<u8> {
        let latin = u8::try_from(u32::from(character)).ok()?;
        match self.tables() {
            None => latin.is_ascii().then_some(latin),
            Some(tables) => Some(tables.encoded[usize::from(latin)]),
        }
    }

    /// Turns a stream's bytes into columns, chunk by chunk. New lines become line feeds, so that
    /// records are told apart as in ASCII.
    pub fn decode_stream(self, chunk: &mut [u8]) {
        let Some(tables) = self.tables() else { return };
        let (blocks, rest) = chunk.as_chunks_mut::<16>();
        for block in blocks {
            let (columns, mut unknown) = plain(block);
            let bytes = std::mem::replace(block, columns);
            while unknown != 0 {
                let at = unknown.trailing_zeros() as usize % block.len();
                block[at] = tables.lines[usize::from(bytes[at])];
                unknown &= unknown - 1;
            }
        }
        rest.iter_mut().for_each(|byte| *byte = tables.lines[usize::from(*byte)]);
    }

    /// Turns columns into the bytes of the encoding. What is beyond ASCII stays as it is in ASCII.
    pub fn encode(self, columns: &mut [u8]) {
        if let Some(tables) = self.tables() {
            columns.iter_mut().for_each(|byte| *byte = tables.encoded[usize::from(*byte)]);
        }
    }

    /// Whether the first bytes of a stream can only be EBCDIC: behind any control characters, the letter of
    /// a batch's or block's first record in either case, and nearly nothing but letters, digits and spaces
    /// up to column 20. None of these is an ASCII letter or digit. Which code page it is does not show.
    #[must_use]
    pub fn detect(start: &[u8]) -> bool {
        const LETTERS_A_AND_B: [u8; 4] = [0xc1, 0xc2, 0x81, 0x82];
        const COLUMNS: usize = 20;
        /// A password may hold other characters.
        const OTHERS: usize = 4;
        let is_control = |byte: &u8| *byte < b' ' || *byte == Self::EBCDIC_LINE_FEED;
        let controls = start.iter().take_while(|byte| is_control(byte)).count();
        let Some(columns) = start[controls..].get(..COLUMNS) else { return false };
        let is_plain = |byte: &&u8| {
            let latin = Self::Ebcdic037.decode_byte(**byte);
            latin.is_ascii_alphanumeric() || latin == b' '
        };
        LETTERS_A_AND_B.contains(&columns[0]) && columns.iter().filter(is_plain).count() >= COLUMNS - OTHERS
    }

    /// The first byte that stands for one character in code page 037 and for another in 1047.
    #[must_use]
    pub fn ambiguous(chunk: &[u8]) -> Option<usize> {
        let [[one, two, three], [four, five, six]] = AMBIGUOUS;
        let found = [memchr3(one, two, three, chunk), memchr3(four, five, six, chunk)];
        found.into_iter().flatten().min()
    }
}

/// The bytes that the two code pages read differently.
const AMBIGUOUS: [[u8; 3]; 2] = {
    let all = DIFFERENT_IN_1047;
    [[all[0].0, all[1].0, all[2].0], [all[3].0, all[4].0, all[5].0]]
};

/// The runs that records are mostly made of, the same in both code pages: the first byte, how many
/// follow it, and how far they are above ASCII.
const RUNS: [(u8, u8, u8); 4] = [(0xf0, 9, 0xc0), (0xc1, 8, 0x80), (0xd1, 8, 0x87), (0xe2, 7, 0x8f)];

/// The same of single bytes: the space, the ends of lines, and the minus sign.
const SINGLE: [(u8, u8); 4] =
    [(0x40, 0x20), (Encoding::EBCDIC_NEW_LINE, 0x0b), (Encoding::EBCDIC_LINE_FEED, 0x1b), (0x60, 0x33)];

/// Sixteen bytes at once, much faster than the table; and one bit for each of them that this does not know.
#[inline]
fn plain(block: &[u8; 16]) -> ([u8; 16], u32) {
    let bytes = u8x16::new(*block);
    let mut above = u8x16::splat(0);
    for (first, more, distance) in RUNS {
        let from_first = bytes - u8x16::splat(first);
        above |= from_first.min(u8x16::splat(more)).simd_eq(from_first) & u8x16::splat(distance);
    }
    for (byte, distance) in SINGLE {
        above |= bytes.simd_eq(u8x16::splat(byte)) & u8x16::splat(distance);
    }
    ((bytes - above).to_array(), above.simd_eq(u8x16::splat(0)).to_bitmask())
}

impl fmt::Display for Encoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// IBM's graphic characters by rows of the code chart, typed from the chart and not from a table.
    #[test]
    fn the_invariant_characters_stand_where_the_chart_has_them() {
        let chart: [(u8, &str); 12] = [
            (0xc1, "ABCDEFGHI"),
            (0xd1, "JKLMNOPQR"),
            (0xe2, "STUVWXYZ"),
            (0xf0, "0123456789"),
            (0x81, "abcdefghi"),
            (0x91, "jklmnopqr"),
            (0xa2, "stuvwxyz"),
            (0x4b, ".<(+|"),
            (0x5a, "!$*);"),
            (0x6b, ",%_>?"),
            (0x7a, ":#@'=\""),
            (0x60, "-/"),
        ];
        for encoding in [Encoding::Ebcdic037, Encoding::Ebcdic1047] {
            for (first, letters) in chart {
                for (byte, letter) in (first..).zip(letters.bytes()) {
                    assert_eq!(encoding.decode_byte(byte), letter, "{encoding} {byte:02x}");
                }
            }
            assert_eq!(encoding.decode_byte(0x40), b' ');
        }
        for (character, in_037, in_1047) in
            [('[', 0xba, 0xad), (']', 0xbb, 0xbd), ('^', 0xb0, 0x5f), ('¬', 0x5f, 0xb0), ('Ý', 0xad, 0xba)]
        {
            assert_eq!(Encoding::Ebcdic037.encode_char(character), Some(in_037));
            assert_eq!(Encoding::Ebcdic1047.encode_char(character), Some(in_1047));
        }
    }

    #[test]
    fn every_byte_comes_back() {
        for encoding in [Encoding::Ebcdic037, Encoding::Ebcdic1047] {
            for byte in 0..=u8::MAX {
                let character = char::from(encoding.decode_byte(byte));
                assert_eq!(encoding.encode_char(character), Some(byte), "{encoding}");
            }
        }
    }

    #[test]
    fn streams_are_decoded_byte_by_byte_wherever_they_are_cut() {
        let bytes: Vec<u8> = (0..=u8::MAX).chain(0xc1..=0xe9).chain([0x40; 40]).chain(0xf0..=0xf9).collect();
        for encoding in [Encoding::Ebcdic037, Encoding::Ebcdic1047] {
            for start in 0..bytes.len() {
                let mut chunk = bytes[start..].to_vec();
                encoding.decode_stream(&mut chunk);
                for (found, byte) in chunk.iter().zip(&bytes[start..]) {
                    let is_end = *byte == Encoding::EBCDIC_NEW_LINE;
                    let expected = if is_end { b'\n' } else { encoding.decode_byte(*byte) };
                    assert_eq!(*found, expected, "{encoding} {byte:02x}");
                }
            }
        }
    }

    #[test]
    fn what_a_page_lacks_has_no_byte() {
        assert_eq!(Encoding::Ebcdic037.encode_char('€'), None);
        assert_eq!(Encoding::Ascii.encode_char('é'), None);
        assert_eq!(Encoding::Ebcdic037.encode_char('é'), Some(0x51));
    }

    #[test]
    fn only_ebcdic_looks_like_it() {
        let mut batch = *b"A2704EEEPASSWD080326     AE         ";
        assert!(!Encoding::detect(&batch));
        Encoding::Ebcdic1047.encode(&mut batch);
        assert!(Encoding::detect(&batch));
        assert!(!Encoding::detect(&batch[..8]));
        assert!(!Encoding::detect(&[0xc3; 80]));
        assert!(!Encoding::detect("ÁÂ ordinary text of ISO 8859-1".as_bytes()));
        assert_eq!(Encoding::ambiguous(&batch), None);
        assert_eq!(Encoding::ambiguous(&[0x40, 0xba]), Some(1));
    }
}
