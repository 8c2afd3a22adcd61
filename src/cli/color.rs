//! Whether output is coloured.

use clap::ValueEnum;

use super::output;

/// When to colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless the environment says `NO_COLOR`
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Whether standard output is to be coloured.
    pub(super) fn is_on(self) -> bool {
        match self {
            Self::Auto => {
                let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                !is_refused && output::is_terminal()
            }
            Self::Always => true,
            Self::Never => false,
        }
    }
}
