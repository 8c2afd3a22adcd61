//! Which tables of reference data are in force on a day.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use jiff::civil::Date;

use super::kind::ReferenceKind;
use super::reference::ReferenceTable;
use crate::rules::ListName;

/// The tables of each kind with their first days, and those of the day at hand.
#[derive(Clone, Debug, Default)]
pub(super) struct References {
    /// By kind, oldest first.
    tables: HashMap<String, Vec<(Date, Arc<ReferenceTable>)>>,
    /// By list: the table in force, and which list of its kind it is.
    in_force: HashMap<String, (Arc<ReferenceTable>, usize), RandomState>,
    /// The same by the places of lists in the grammar.
    by_place: Vec<Option<(Arc<ReferenceTable>, usize)>>,
    /// None stands for the end of time: the newest tables are in force.
    day: Option<Date>,
}

impl References {
    /// Adds a table, in force from a day on; one of the same day before it is replaced.
    pub(super) fn add(&mut self, since: Date, table: ReferenceTable) {
        let tables = self.tables.entry(table.kind().name.clone()).or_default();
        let table = Arc::new(table);
        match tables.binary_search_by_key(&since, |(day, _)| *day) {
            Ok(place) => tables[place].1 = table,
            Err(place) => tables.insert(place, (since, table)),
        }
    }

    /// Puts the tables of a day in force: of each kind the newest that is not after it.
    pub(super) fn turn_to(&mut self, day: Option<Date>) {
        self.day = day;
        self.in_force.clear();
        self.by_place.clear();
        for tables in self.tables.values() {
            let newer = tables.partition_point(|(since, _)| day.is_none_or(|day| *since <= day));
            let Some((_, table)) = newer.checked_sub(1).map(|newest| &tables[newest]) else { continue };
            for (number, list) in table.kind().lists.iter().enumerate() {
                self.in_force.insert(list.name.clone(), (Arc::clone(table), number));
                if let Some(place) = list.place {
                    if self.by_place.len() <= place {
                        self.by_place.resize(place + 1, None);
                    }
                    self.by_place[place] = Some((Arc::clone(table), number));
                }
            }
        }
    }

    pub(super) fn day(&self) -> Option<Date> {
        self.day
    }

    /// A list that is in force: its table, and which list of its kind it is.
    pub(super) fn list(&self, name: &str) -> Option<(&ReferenceTable, usize)> {
        self.in_force.get(name).map(|(table, list)| (&**table, *list))
    }

    /// A list that is in force, as rules name it.
    #[inline]
    pub(super) fn named(&self, name: &ListName) -> Option<(&ReferenceTable, usize)> {
        match name.place {
            Some(place) => {
                let (table, list) = self.by_place.get(usize::from(place))?.as_ref()?;
                Some((table, *list))
            }
            None => self.list(&name.name),
        }
    }

    /// The table of a kind that is in force.
    pub(super) fn of_kind(&self, kind: &ReferenceKind) -> Option<&ReferenceTable> {
        self.list(&kind.lists.first()?.name).map(|(table, _)| table)
    }

    /// The first days of a kind's tables, oldest first; [`Date::MIN`] for that of the world file.
    pub(super) fn days(&self, kind: &str) -> impl Iterator<Item = Date> {
        self.tables.get(kind).into_iter().flatten().map(|(day, _)| *day)
    }
}
