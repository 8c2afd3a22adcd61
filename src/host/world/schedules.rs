//! Schedules of the tariff in a folder of reference data: `NAME.schedule`, as `abigate tariff import` writes
//! them. A host computes duty by them, and knows their numbers beside the world's own.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::ReferenceFileError;
use crate::model::HtsNumber;
use crate::tariff::{Article, TableError, Tariff};

/// How the names of schedules end.
const END: &str = "schedule";

/// The list of tariff numbers.
pub(super) const LIST: &str = "hts";

/// The tariff of the program with the schedules of a folder, in the order of their names; none if there are
/// none.
pub(super) fn read(folder: &Path) -> Result<Option<Tariff>, ReferenceFileError> {
    let failed = |path: &Path, source| ReferenceFileError::Io { path: path.display().to_string(), source };
    let mut files = Vec::<PathBuf>::new();
    for entry in fs::read_dir(folder).map_err(|source| failed(folder, source))? {
        let path = entry.map_err(|source| failed(folder, source))?.path();
        if path.extension().is_some_and(|end| end == END) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Ok(None);
    }
    files.sort();
    let mut tariff = Tariff::builtin()?.clone();
    for path in files {
        let text = fs::read_to_string(&path).map_err(|source| failed(&path, source))?;
        let named = |error: TableError| TableError { file: path.display().to_string(), ..error };
        tariff.add_schedule(&text).map_err(named)?;
    }
    Ok(Some(tariff))
}

/// The article of a number in force on a day.
pub(super) fn article<'t>(tariff: &'t Tariff, code: &str, day: Date) -> Option<Article<'t>> {
    tariff.schedule().find(HtsNumber::new(code).ok()?, day)
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
