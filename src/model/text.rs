//! Short texts kept in place: a record has 80 columns, so no value of one needs the heap.

use std::fmt;

use schemars::{Schema, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// A value that its type does not admit. The value itself is not repeated: it may be a taxpayer's
/// number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected {expected}")]
pub struct InvalidValue {
    /// What would have been right.
    pub expected: &'static str,
}

/// A type whose values are short texts of the wire's characters.
pub trait Coded: Sized {
    /// The longest text.
    const WIDTH: usize;
    /// What a valid text is, for a diagnostic.
    const EXPECTED: &'static str;
    /// Whether spaces before the text belong to it.
    const KEEPS_INDENT: bool = false;
    /// Whether the text may be a taxpayer's number, which no log or error shows.
    const SECRET: bool = false;

    /// The value with this text, if there is one.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;

    /// The text.
    fn as_bytes(&self) -> &[u8];
}

/// Up to `N` bytes.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Inline<const N: usize> {
    bytes: [u8; N],
    length: u8,
}

impl<const N: usize> Inline<N> {
    /// The bytes, if there are at least one and at most `N` and all may travel.
    #[inline]
    pub(super) fn new(from: &[u8]) -> Option<Self> {
        let mut bytes = [b' '; N];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        // All N are looked at, without an early exit: a fixed count that vectors can do.
        let travels = bytes.iter().fold(true, |all, &byte| all & matches!(byte, b' '..=b'`' | b'{'..=b'~'));
        let length = u8::try_from(from.len()).ok()?;
        (travels && from.last().is_some_and(|&last| last != b' ')).then_some(Self { bytes, length })
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    pub(super) fn as_str(&self) -> &str {
        // Only ASCII is ever let in.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

pub(super) fn serialize<T: Coded, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(std::str::from_utf8(value.as_bytes()).unwrap_or_default())
}

pub(super) fn deserialize<'de, T: Coded, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Text<T>(std::marker::PhantomData<T>);

    impl<T: Coded> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(T::EXPECTED)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            T::from_bytes(text.as_bytes()).ok_or_else(|| E::custom(expected_instead_of::<T>(text)))
        }
    }

    deserializer.deserialize_str(Text(std::marker::PhantomData))
}

/// Why a text is no value of a type: what was expected of it, in words.
fn expected_instead_of<T: Coded>(text: &str) -> String {
    let length = text.chars().count();
    let reason = match cannot_travel(text, T::SECRET) {
        Some(reason) => reason,
        None if text.starts_with("=\"") => format!("{}, and no formula of a spreadsheet", T::EXPECTED),
        None if length > T::WIDTH => {
            format!("at most {} characters, which are {length} here: {}", T::WIDTH, T::EXPECTED)
        }
        None => T::EXPECTED.to_owned(),
    };
    format!("expected {reason}")
}

/// What is expected of a text with a character that no record can hold: CATAIR has the letters A to Z,
/// digits and the signs of a keyboard. The character itself is not named in what is secret.
pub(crate) fn cannot_travel(text: &str, is_secret: bool) -> Option<String> {
    let travels = |letter: &char| matches!(letter, ' '..='`' | '{'..='~');
    let (at, letter) = text.chars().enumerate().find(|(_, letter)| !travels(letter))?;
    let place = format!("character {}", at + 1);
    let named = if is_secret { place.clone() } else { format!("{letter:?} ({place})") };
    Some(match letter {
        '\n' | '\r' => format!("one line of text: {place} is a line break"),
        'a'..='z' => format!("upper case: {named} is lower case, which CATAIR does not have"),
        _ if letter.is_control() => format!("text without control characters: {named} is one"),
        _ => format!("only characters that CATAIR has: {named} is none of them"),
    })
}

/// The schema of a type for short texts.
pub(super) fn schema<T: Coded>(pattern: &str) -> Schema {
    json_schema!({"type": "string", "description": T::EXPECTED, "pattern": pattern, "maxLength": T::WIDTH})
}

/// Texts that neither begin nor end with a space.
pub(super) const CODE: &str = r"^[!-`{-~](?:[ -`{-~]*[!-`{-~])?$";
/// Texts that do not end with a space.
pub(super) const TEXT: &str = r"^[ -`{-~]*[!-`{-~]$";

/// Defines a type for short texts: its name, its longest text, what is valid in words, as a pattern
/// of its schema and as a test of the bytes; `masked` keeps the text out of `Debug`.
macro_rules! text_type {
    ($(#[$meta:meta])* $name:ident, $width:literal, $expected:literal, $pattern:expr, $valid:expr $(, $masked:ident)?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name($crate::model::text::Inline<$width>);
        $crate::model::text::text_type!(@traits [] $name, $width, $expected, $valid, false $(, $masked)?);
        $crate::model::text::text_type!(@schema [] $name, stringify!($name), false, $pattern);
    };
    ($(#[$meta:meta])* $name:ident<N>, $expected:literal, $pattern:expr, $valid:expr, $indent:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name<const N: usize>($crate::model::text::Inline<N>);
        $crate::model::text::text_type!(@traits [const N: usize] $name<N>, N, $expected, $valid, $indent);
        $crate::model::text::text_type!(@schema [const N: usize] $name<N>, stringify!($name), true, $pattern);
    };
    (@schema [$($generic:tt)*] $name:ty, $title:expr, $inline:literal, $pattern:expr) => {
        impl<$($generic)*> schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                $inline
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $title.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::model::text::schema::<Self>($pattern)
            }
        }
    };
    (@traits [$($generic:tt)*] $name:ty, $width:expr, $expected:literal, $valid:expr, $indent:literal $(, $masked:ident)?) => {
        impl<$($generic)*> $name {
            /// The value with this text.
            ///
            /// # Errors
            /// The text is not one.
            pub fn new(text: &str) -> Result<Self, $crate::model::InvalidValue> {
                text.parse()
            }

            /// The text as it travels, without fill.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl<$($generic)*> $crate::model::Coded for $name {
            const WIDTH: usize = $width;
            const EXPECTED: &'static str = $expected;
            const KEEPS_INDENT: bool = $indent;
            const SECRET: bool = $crate::model::text::text_type!(@secret $($masked)?);

            #[inline]
            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let valid: fn(&[u8]) -> bool = $valid;
                let inline = $crate::model::text::Inline::new(bytes)?;
                valid(bytes).then_some(Self(inline))
            }

            #[inline]
            fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        impl<$($generic)*> std::str::FromStr for $name {
            type Err = $crate::model::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <Self as $crate::model::Coded>::from_bytes(text.as_bytes())
                    .ok_or($crate::model::InvalidValue { expected: $expected })
            }
        }

        impl<$($generic)*> std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl<$($generic)*> std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                if <Self as $crate::model::Coded>::SECRET {
                    return formatter.write_str("(masked)");
                }
                std::fmt::Debug::fmt(self.as_str(), formatter)
            }
        }

        impl<$($generic)*> serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::model::text::serialize(self, serializer)
            }
        }

        impl<'de, $($generic)*> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::model::text::deserialize(deserializer)
            }
        }
    };
    (@secret masked) => { true };
    (@secret) => { false };
}

pub(super) use text_type;

text_type! {
    /// A code or a number of at most `N` characters that is only text to the model.
    Code<N>, "a code without spaces around it", CODE, |bytes| bytes.first() != Some(&b' '), false
}

text_type! {
    /// Free text of at most `N` characters; spaces before it belong to it, those behind it do not.
    Text<N>, "text that does not end with a space", TEXT, |_| true, true
}
