//! The data classes of the record layout key (batch chapter, B&B-7) and the bit maps by which a
//! record's 80 columns are judged against them in one pass.

use std::fmt;
use std::ops::BitOr;

/// One or more data classes: a field printed `D/S` holds a known date or spaces.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct ClassSet(u8);

/// The classes, their printed names and what these mean.
const NAMES: [(ClassSet, &str, &str); 8] = [
    (ClassSet::SIGNED, "SIGNED", "digits, a minus sign before them"),
    (ClassSet::SPACE_FILLED_NUMERIC, "SN", "digits, spaces before them"),
    (ClassSet::NUMERIC, "N", "digits"),
    (ClassSet::ALPHABETIC, "A", "letters"),
    (ClassSet::ALPHANUMERIC, "AN", "letters and digits"),
    (ClassSet::DATE, "D", "a date"),
    (ClassSet::SPECIAL, "X", "letters, digits and signs"),
    (ClassSet::SPACE, "S", "blank"),
];

impl ClassSet {
    /// `S`: spaces only.
    pub const SPACE: Self = Self(1);
    /// `A`: upper case letters.
    pub const ALPHABETIC: Self = Self(2);
    /// `N`: digits.
    pub const NUMERIC: Self = Self(4);
    /// `SN`: digits, after leading spaces if there are any.
    pub const SPACE_FILLED_NUMERIC: Self = Self(8);
    /// `AN`: upper case letters, digits and spaces.
    pub const ALPHANUMERIC: Self = Self(16);
    /// `D`: a known date.
    pub const DATE: Self = Self(32);
    /// `X`: upper case letters, digits, spaces and the signs of a standard keyboard.
    pub const SPECIAL: Self = Self(64);
    /// `SIGNED`: digits, after leading spaces if there are any and a minus sign if the number is below
    /// zero. No printed class; some amounts of class N or AN are of it.
    pub const SIGNED: Self = Self(128);

    /// The class with this printed name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, printed, _)| *printed == name).map(|(class, ..)| *class)
    }

    /// The classes in words, with their printed names: `a date or blank (D/S)`.
    #[must_use]
    pub fn in_words(self) -> String {
        let words = NAMES.iter().filter(|(class, ..)| self.has(*class)).map(|(.., words)| *words);
        format!("{} ({self})", words.collect::<Vec<_>>().join(" or "))
    }

    /// Whether one of `other`'s classes is among these.
    #[must_use]
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether no class is named.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the field holds digits only: a number or a date.
    #[must_use]
    pub fn is_numeric(self) -> bool {
        self.has(Self::NUMERIC | Self::SPACE_FILLED_NUMERIC | Self::SIGNED | Self::DATE)
            && !self.has(Self::ALPHABETIC | Self::ALPHANUMERIC | Self::SPECIAL)
    }

    /// Whether this byte may stand somewhere in a field of the class.
    #[must_use]
    pub fn admits(self, byte: u8) -> bool {
        match byte {
            b' ' => self != Self::DATE,
            b'0'..=b'9' => self.has(
                Self::NUMERIC
                    | Self::SPACE_FILLED_NUMERIC
                    | Self::SIGNED
                    | Self::ALPHANUMERIC
                    | Self::DATE
                    | Self::SPECIAL,
            ),
            b'-' if self.has(Self::SIGNED) => true,
            b'A'..=b'Z' => self.has(Self::ALPHABETIC | Self::ALPHANUMERIC | Self::SPECIAL),
            b'!'..=b'~' if !byte.is_ascii_lowercase() => self.has(Self::SPECIAL),
            _ => false,
        }
    }
}

impl BitOr for ClassSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for ClassSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (class, name, _) in NAMES {
            if self.has(class) {
                write!(formatter, "{separator}{name}")?;
                separator = "/";
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ClassSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
