//! Schedules of the tariff in a folder of reference data: `NAME.schedule`, as `abigate tariff import` writes
//! them. A host computes duty by them, and knows their numbers beside the world's own.

use std::borrow::Cow;
use std::path::Path;

use jiff::civil::Date;

use super::ReferenceFileError;
use super::file::ending_in;
use crate::model::HtsNumber;
use crate::tariff::{Article, TableError, Tariff};
use crate::wire::read_text;

/// How the names of schedules end.
const END: &str = "schedule";

/// The list of tariff numbers.
pub(super) const LIST: &str = "hts";

/// A tariff, that of the program if none is given, with the schedules of a folder in the order of their names;
/// none if there are none.
pub(super) fn read(folder: &Path, tariff: Option<&Tariff>) -> Result<Option<Tariff>, ReferenceFileError> {
    let files = ending_in(folder, END)?;
    if files.is_empty() {
        return Ok(None);
    }
    let mut tariff = match tariff {
        Some(tariff) => tariff.clone(),
        None => Tariff::builtin()?.clone(),
    };
    for path in files {
        let failed = |source| ReferenceFileError::Io { path: path.display().to_string(), source };
        let text = read_text(&path).map_err(failed)?;
        let named = |error: TableError| TableError { file: path.display().to_string(), ..error };
        tariff.add_schedule(&text).map_err(named)?;
    }
    Ok(Some(tariff))
}

/// The article of a number that may be reported on a day.
pub(super) fn article<'t>(tariff: &'t Tariff, code: &str, day: Date) -> Option<Article<'t>> {
    let number = HtsNumber::new(code).ok()?;
    tariff.schedule().find(number, day).filter(|_| tariff.schedule().is_reportable(number, day))
}

/// What a column of tariff numbers says of an article; none if there is no such column.
pub(super) fn column<'t>(article: &Article<'t>, column: &str) -> Option<Cow<'t, str>> {
    Some(match column {
        "units" => {
            let units = article.units().into_iter().flatten().map(|unit| unit.to_string());
            Cow::Owned(units.collect::<Vec<_>>().join(" "))
        }
        "agencies" => Cow::Borrowed(article.agencies()),
        "description" => Cow::Borrowed(article.description()),
        "reserved" => Cow::Borrowed("false"),
        _ => return None,
    })
}
