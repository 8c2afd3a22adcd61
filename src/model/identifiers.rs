//! Identifiers that cannot hold a value of another shape. Whether one is known to anybody is for
//! the rules.

use super::text::text_type;

text_type! {
    /// A filer code: three letters or digits, not three zeros (Appendix E).
    FilerCode, 3, "a filer code of three letters or digits",
    "^(?!000$)[0-9A-Z]{3}$",
    |code| code.len() == 3 && code.iter().all(u8::is_ascii_alphanumeric) && code != b"000"
}

text_type! {
    /// An entry number without its filer code: seven digits and the check digit (Appendix E). The
    /// check digit depends on the filer, see [`EntryNumber::check_digit`].
    EntryNumber, 8, "an entry number of seven digits and a check digit",
    "^[0-9]{8}$", |number| number.len() == 8 && digits(number)
}

text_type! {
    /// The number of an importer, consignee or other party (entry summary chapter, ESF-36):
    /// `NNN-NN-NNNN` (social security), `NN-NNNNNNN` with or without a suffix of two (Internal
    /// Revenue Service), `YYDDPP-NNNNN` (given by CBP), or all zeros where no number is reported.
    /// It is a taxpayer's number: its `Debug` is masked.
    PartyNumber, 15, "a number NNN-NN-NNNN, NN-NNNNNNN, NN-NNNNNNNXX or YYDDPP-NNNNN, or zeros",
    "^(?:[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{2}-[0-9]{7}(?:[0-9A-Z]{2})?|[0-9]{6}-[0-9]{5}|0+)$",
    party_number, masked
}

text_type! {
    /// An identifier of an entity by a qualifier (ESF-59): often a taxpayer's number, so its
    /// `Debug` is masked.
    EntityIdentifier, 20, "an identifier without spaces around it", super::text::CODE,
    |bytes| bytes.first() != Some(&b' '), masked
}

text_type! {
    /// A number of the Harmonized Tariff Schedule: ten digits, or eight where only eight exist.
    HtsNumber, 10, "a tariff number of 8 or 10 digits", "^(?:[0-9]{8}|[0-9]{10})$",
    |number| matches!(number.len(), 8 | 10) && digits(number)
}

text_type! {
    /// A district and port of Schedule D.
    PortCode, 4, "a port code of four digits", "^[0-9]{4}$", |code| code.len() == 4 && digits(code)
}

text_type! {
    /// A foreign port of Schedule K.
    ForeignPortCode, 5, "a foreign port code of five digits", "^[0-9]{5}$", |code| code.len() == 5 && digits(code)
}

text_type! {
    /// An ISO country code, or `**` for an unknown one.
    CountryCode, 2, "a country code of two letters", r"^(?:[A-Z]{2}|\*\*)$",
    |code| code == b"**" || code.len() == 2 && code.iter().all(u8::is_ascii_uppercase)
}

text_type! {
    /// A manufacturer, supplier or exporter by its constructed code (ESF-78): 8 to 15 letters and
    /// digits that begin with the country or Canadian province.
    ManufacturerCode, 15, "a manufacturer code of 8 to 15 letters and digits",
    "^[A-Z]{2}[0-9A-Z]{6,13}$",
    |code| code.len() >= 8
        && code.iter().all(u8::is_ascii_alphanumeric)
        && code[..2].iter().all(u8::is_ascii_uppercase)
}

text_type! {
    /// An antidumping or countervailing duty case without hyphens: a letter and nine letters or
    /// digits.
    CaseNumber, 10, "a case number of a letter and nine letters or digits",
    "^[A-Z][0-9A-Z]{9}$",
    |code| code.len() == 10 && code[0].is_ascii_uppercase() && code.iter().all(u8::is_ascii_alphanumeric)
}

fn digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

fn party_number(number: &[u8]) -> bool {
    const SHAPES: [&[u8]; 4] = [b"NNN-NN-NNNN", b"NN-NNNNNNN", b"NN-NNNNNNNXX", b"NNNNNN-NNNNN"];
    let fits = |shape: &&[u8]| {
        shape.len() == number.len()
            && shape.iter().zip(number).all(|(kind, byte)| match kind {
                b'N' => byte.is_ascii_digit(),
                b'X' => byte.is_ascii_alphanumeric(),
                sign => byte == sign,
            })
    };
    SHAPES.iter().any(fits) || number.iter().all(|&byte| byte == b'0')
}

impl EntryNumber {
    /// The check digit of a filer's transaction number (Appendix E): the ten digits of both, letters
    /// turned into digits, by Luhn's rule, plus the offset that CBP has set for the filer.
    ///
    /// ```
    /// # use abigate::model::{EntryNumber, FilerCode};
    /// let filer = FilerCode::new("B76")?;
    /// assert_eq!(EntryNumber::new("03245278")?.check_digit(filer, 0), 8);
    /// # Ok::<(), abigate::model::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn check_digit(&self, filer: FilerCode, offset: u8) -> u8 {
        let number = &self.as_str().as_bytes()[..7];
        let digits = filer.as_str().bytes().chain(number.iter().copied()).map(digit_of);
        let sum: u32 = digits
            .enumerate()
            .map(|(position, digit)| match position % 2 {
                // Of ten digits every second one from the right is the second, fourth … from the left.
                1 if digit > 4 => digit * 2 - 9,
                1 => digit * 2,
                _ => digit,
            })
            .sum();
        ((10 - sum % 10 + u32::from(offset)) % 10) as u8
    }

    /// Whether the last digit is the check digit with one of the filer's offsets.
    #[must_use]
    pub fn is_checked(&self, filer: FilerCode, offsets: &[u8]) -> bool {
        let last = self.as_str().as_bytes()[7] - b'0';
        offsets.iter().any(|&offset| self.check_digit(filer, offset) == last)
    }

    /// A transaction number with its check digit.
    ///
    /// # Errors
    /// The number has more than seven digits.
    pub fn assign(filer: FilerCode, transaction: u32, offset: u8) -> Result<Self, super::InvalidValue> {
        let unchecked = Self::new(&format!("{transaction:07}0"))?;
        Self::new(&format!("{transaction:07}{}", unchecked.check_digit(filer, offset)))
    }
}

/// A letter's digit: three runs, A to I, J to R and S to Z, of which the last begins with 2.
fn digit_of(byte: u8) -> u32 {
    let digit = match byte {
        b'A'..=b'I' => byte - b'A' + 1,
        b'J'..=b'R' => byte - b'J' + 1,
        b'S'..=b'Z' => byte - b'S' + 2,
        digit => digit.wrapping_sub(b'0'),
    };
    u32::from(digit)
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn check_digits_of_the_appendix_and_more() {
        for (filer, number, offset, digit) in [
            ("B76", "03245278", 0, 8),
            ("B76", "03245278", 1, 9),
            ("B76", "03245278", 9, 7),
            ("B76", "00000007", 0, 7),
            ("001", "00000017", 0, 7),
            ("ABC", "12345676", 0, 6),
            ("JST", "76543216", 0, 6),
            ("9Z9", "99999990", 0, 0),
            ("ZZZ", "99999993", 3, 3),
        ] {
            let filer = FilerCode::new(filer).unwrap();
            let number = EntryNumber::new(number).unwrap();
            assert_eq!(number.check_digit(filer, offset), digit, "{filer} {number}");
        }
    }

    #[test]
    fn numbers_are_assigned_with_their_check_digit() {
        let filer = FilerCode::new("B76").unwrap();
        let number = EntryNumber::assign(filer, 324_527, 0).unwrap();
        assert_eq!(number.as_str(), "03245278");
        assert!(number.is_checked(filer, &[0]));
        assert!(!number.is_checked(filer, &[1, 2]));
        assert!(EntryNumber::assign(filer, 10_000_000, 0).is_err());
    }

    #[test]
    fn party_numbers_have_four_shapes_or_are_zero() {
        for good in
            ["123-45-6789", "12-3456789", "12-3456789AB", "120199-12345", "000000000000", "00-0000000"]
        {
            assert!(PartyNumber::new(good).is_ok(), "{good}");
        }
        for bad in
            ["", "123456789", "12-345678", "12-3456789A", "ABCDEF-12345", "123-45-678X", "12-3456789ab"]
        {
            assert!(PartyNumber::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn taxpayer_numbers_do_not_appear_in_debug() {
        let shown = format!("{:?}", PartyNumber::new("12-3456789").unwrap());
        assert!(!shown.contains("3456789"), "{shown}");
    }

    #[test]
    fn shapes_are_kept() {
        assert!(HtsNumber::new("61091000").is_ok() && HtsNumber::new("6109100012").is_ok());
        assert!(HtsNumber::new("610910001").is_err() && HtsNumber::new("61091000AB").is_err());
        assert!(CountryCode::new("**").is_ok() && CountryCode::new("C1").is_err());
        assert!(FilerCode::new("000").is_err() && FilerCode::new("AB").is_err());
        assert!(
            ManufacturerCode::new("CNABCTRA123SHE").is_ok() && ManufacturerCode::new("1NABCTRA").is_err()
        );
        assert!(PortCode::new(" 123").is_err() && EntryNumber::new("1234567").is_err());
    }
}
