//! Numbers as flat files hold them: packed, zoned, with a point or without. Digits are never counted
//! in floats, nor in integers that they might not fit.

/// How a number's digits and sign stand in a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// Digits only, filled with zeros on the left; with spaces in a field of class SN.
    Plain { space_filled: bool },
    /// With a decimal point and, below zero, a minus; filled with spaces on the left.
    Point,
    /// One character a digit; the sign as said.
    Zoned(Sign),
    /// Two digits a byte, the sign in the last half byte (COMP-3).
    Packed,
}

/// Where the sign of a zoned number stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Sign {
    /// On or before the first digit, in place of the last one.
    pub(super) leading: bool,
    /// A character of its own, `+` or `-`.
    pub(super) separate: bool,
    /// Overpunched as PC compilers do: a plain digit, or `p` to `y` below zero.
    pub(super) personal_computer: bool,
}

/// A whole number of any length.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Whole {
    pub(super) negative: bool,
    /// ASCII digits, with the zeros before them.
    pub(super) digits: String,
}

impl Whole {
    fn new(negative: bool, digits: String) -> Self {
        let is_zero = digits.bytes().all(|digit| digit == b'0');
        Self { negative: negative && !is_zero, digits }
    }

    /// The number with a point before its last digits: `-312.80`.
    pub(super) fn amount(&self, decimals: usize) -> String {
        let digits = format!("{:0>width$}", self.digits, width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let sign = if self.negative { "-" } else { "" };
        let point = if decimals == 0 { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }

    /// The whole number that an amount is with its point moved; `None` if the text is no amount or has
    /// more decimal places that are not zero.
    pub(super) fn of_amount(text: &str, decimals: usize) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) || unsigned.ends_with('.') {
            return None;
        }
        let (kept, beyond) = fraction.split_at(fraction.len().min(decimals));
        if beyond.bytes().any(|digit| digit != b'0') {
            return None;
        }
        Some(Self::new(negative, format!("{whole}{kept:0<decimals$}")))
    }

    /// The digits in so many places; `None` if they do not fit.
    pub(super) fn in_places(&self, places: usize) -> Option<String> {
        let digits = self.digits.trim_start_matches('0');
        (digits.len() <= places).then(|| format!("{digits:0>places$}"))
    }
}

/// Reads packed digits. Signs C, F, A and E are plus, D and B minus.
pub(super) fn unpack(bytes: &[u8]) -> Option<Whole> {
    let mut digits = String::with_capacity(bytes.len() * 2);
    let mut halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let sign = halves.next_back()?;
    for half in halves {
        digits.push(char::from_digit(u32::from(half), 10)?);
    }
    let negative = match sign {
        0xa | 0xc | 0xe | 0xf => false,
        0xb | 0xd => true,
        _ => return None,
    };
    Some(Whole::new(negative, digits))
}

/// Writes packed digits over all of `bytes`: C is plus and D minus if the field has signs, else F.
pub(super) fn pack(number: &Whole, signed: bool, bytes: &mut [u8]) -> Option<()> {
    let digits = number.in_places(bytes.len() * 2 - 1)?;
    let sign = match (signed, number.negative) {
        (true, true) => 0xd,
        (true, false) => 0xc,
        (false, false) => 0xf,
        (false, true) => return None,
    };
    let halves: Vec<u8> = digits.bytes().map(|digit| digit - b'0').chain([sign]).collect();
    for (byte, pair) in bytes.iter_mut().zip(halves.chunks(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(())
}

/// The characters for the digits 0 to 9 with an overpunched plus and minus. In EBCDIC these are the
/// bytes of zone C and D.
const PLUS: &str = "{ABCDEFGHI";
const MINUS: &str = "}JKLMNOPQR";
const PC_MINUS: &str = "pqrstuvwxy";

/// Reads a zoned number from its characters.
pub(super) fn unzone(text: &str, sign: Sign) -> Option<Whole> {
    let cut = if sign.leading {
        text.chars().next()?.len_utf8()
    } else {
        text.len() - text.chars().last()?.len_utf8()
    };
    let (before, behind) = text.split_at(cut);
    let (marked, rest) = if sign.leading { (before, behind) } else { (behind, before) };
    let (digit, negative) = match (sign.separate, marked) {
        (true, "+") => (String::new(), false),
        (true, "-") => (String::new(), true),
        (true, _) => return None,
        (false, letter) => overpunched(letter, sign)?,
    };
    let digits = if sign.leading { digit + rest } else { rest.to_owned() + &digit };
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| Whole::new(negative, digits))
}

fn overpunched(letter: &str, sign: Sign) -> Option<(String, bool)> {
    let (plus, minus) = if sign.personal_computer { ("", PC_MINUS) } else { (PLUS, MINUS) };
    let found = |letters: &str| letters.find(letter).map(|digit| digit.to_string());
    if letter.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((letter.to_owned(), false));
    }
    found(plus).map(|digit| (digit, false)).or_else(|| found(minus).map(|digit| (digit, true)))
}

/// Writes a zoned number in so many characters.
pub(super) fn zone(number: &Whole, signed: bool, sign: Sign, places: usize) -> Option<String> {
    if number.negative && !signed {
        return None;
    }
    if !signed {
        return number.in_places(places);
    }
    if sign.separate {
        let digits = number.in_places(places.checked_sub(1)?)?;
        let mark = if number.negative { "-" } else { "+" };
        return Some(if sign.leading { mark.to_owned() + &digits } else { digits + mark });
    }
    let mut digits = number.in_places(places)?;
    let at = if sign.leading { 0 } else { digits.len().checked_sub(1)? };
    let letters = match (sign.personal_computer, number.negative) {
        (true, false) => return Some(digits),
        (true, true) => PC_MINUS,
        (false, true) => MINUS,
        (false, false) => PLUS,
    };
    let digit = usize::from(digits.as_bytes()[at] - b'0');
    digits.replace_range(at..=at, &letters[digit..=digit]);
    Some(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packed_numbers_of_the_manual() {
        for (bytes, negative, digits) in [
            (&[0x12, 0x3c][..], false, "123"),
            (&[0x12, 0x3d], true, "123"),
            (&[0x12, 0x3f], false, "123"),
            (&[0x00, 0x0d], false, "000"),
            (&[0x04, 0x16, 0x00, 0x0c], false, "0416000"),
        ] {
            let number = unpack(bytes).unwrap();
            assert_eq!((number.negative, number.digits.as_str()), (negative, digits));
        }
        for bytes in [&[][..], &[0x12, 0x34], &[0x1a, 0x3c], &[0x40, 0x40]] {
            assert_eq!(unpack(bytes), None, "{bytes:02x?}");
        }
    }

    #[test]
    fn zoned_numbers_of_the_manual() {
        let sign = Sign::default();
        for (text, amount) in
            [("0012{", "1.20"), ("0012}", "-1.20"), ("0012C", "1.23"), ("0012L", "-1.23"), ("00123", "1.23")]
        {
            assert_eq!(unzone(text, sign).unwrap().amount(2), amount, "{text}");
        }
        for text in ["", "12 4", "12S", "A23", " 123", "1é"] {
            assert_eq!(unzone(text, sign), None, "{text}");
        }
        let number = Whole::of_amount("-4.07", 2).unwrap();
        let leading = Sign { leading: true, ..sign };
        assert_eq!(zone(&number, true, sign, 5).unwrap(), "0040P");
        assert_eq!(zone(&number, true, leading, 5).unwrap(), "}0407");
        assert_eq!(zone(&number, true, Sign { separate: true, ..sign }, 5).unwrap(), "0407-");
        assert_eq!(zone(&number, true, Sign { separate: true, ..leading }, 5).unwrap(), "-0407");
        assert_eq!(zone(&number, true, Sign { personal_computer: true, ..sign }, 5).unwrap(), "0040w");
        assert_eq!(zone(&number, false, sign, 5), None);
        assert_eq!(zone(&number, true, sign, 2), None);
    }

    #[test]
    fn amounts_keep_their_places() {
        assert_eq!(Whole::of_amount("312.8", 2).unwrap().amount(2), "312.80");
        assert_eq!(Whole::of_amount("312.800", 2).unwrap().amount(2), "312.80");
        assert_eq!(Whole::of_amount("-0.00", 2).unwrap().amount(2), "0.00");
        assert_eq!(Whole::of_amount("5", 0).unwrap().amount(0), "5");
        for text in ["312.805", "", ".5", "1.", "+1", "1,000", "--1", "1e3"] {
            assert_eq!(Whole::of_amount(text, 2), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_packed_comes_back(negative: bool, digits in "[0-9]{1,31}") {
            let number = Whole::new(negative, digits);
            let mut bytes = [0; 16];
            pack(&number, true, &mut bytes).unwrap();
            let back = unpack(&bytes).unwrap();
            prop_assert_eq!(back.amount(2), number.amount(2));
        }

        #[test]
        fn whatever_is_zoned_comes_back(
            negative: bool, digits in "[0-9]{1,20}", leading: bool, separate: bool, personal_computer: bool,
        ) {
            let sign = Sign { leading, separate, personal_computer };
            let number = Whole::new(negative, digits);
            let text = zone(&number, true, sign, 21).unwrap();
            prop_assert_eq!(text.len(), 21);
            prop_assert_eq!(unzone(&text, sign).unwrap().amount(3), number.amount(3));
        }

        #[test]
        fn what_does_not_fit_is_not_cut(digits in "[1-9][0-9]{5,20}") {
            let number = Whole::new(false, digits);
            prop_assert_eq!(pack(&number, true, &mut [0; 3]), None);
            prop_assert_eq!(zone(&number, true, Sign::default(), 5), None);
        }

        #[test]
        fn any_bytes_can_be_looked_at(bytes in proptest::collection::vec(any::<u8>(), 0..20), text in ".{0,12}") {
            let _ = unpack(&bytes);
            for leading in [false, true] {
                let _ = unzone(&text, Sign { leading, ..Sign::default() });
            }
        }
    }
}
