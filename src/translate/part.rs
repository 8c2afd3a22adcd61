//! Parts of the model and the records they stand in.
//!
//! A table (`fields!`, `part!`, `choice!`) pairs the model's fields with the grammar's names; both
//! directions follow from it. The structure map has already seen to order and nesting, so reading
//! needs no more than the next record's kind; a table's children come in the order of the map.

use super::agency::AgencyPlaces;
use super::field::Field;
use super::place::{Names, Reading, RecordPlace, Source, Spot, Writing};
use super::problem::{DecodeProblem, EncodeProblem, shown};
use crate::grammar::{LayoutId, Symbol, UnknownName};
use crate::message::Transaction;
use crate::model::Rows;
use crate::wire::Columns;

/// Fields of one record that make one value of the model.
pub(super) trait Fields: Sized {
    type Place;

    /// Resolves the names; `name` is for values of a single field, `number` stands in for `#`.
    fn place(
        record: &RecordPlace,
        names: &Names<'_>,
        name: &str,
        number: usize,
    ) -> Result<Self::Place, UnknownName>;

    /// Whether the value may stand several times in one record.
    fn numbered(name: &str) -> bool;

    fn is_blank(place: &Self::Place, source: &Source<'_>) -> bool;

    /// The value, or `None` after noting why there is none.
    fn read(place: &Self::Place, reading: &mut Reading<'_>) -> Option<Self>;

    fn write(&self, place: &Self::Place, writing: &mut Writing<'_>) -> Result<(), EncodeProblem>;

    /// The path of what stands in a column, if it is known.
    fn path_at(_place: &Self::Place, _column: usize) -> Option<String> {
        None
    }
}

impl<T: Field> Fields for T {
    type Place = Spot;

    fn place(
        record: &RecordPlace,
        names: &Names<'_>,
        name: &str,
        number: usize,
    ) -> Result<Spot, UnknownName> {
        record.spot(|value: &T| value, names, name, number)
    }

    fn numbered(name: &str) -> bool {
        name.contains('#')
    }

    #[inline]
    fn is_blank(place: &Spot, source: &Source<'_>) -> bool {
        source.is_blank(place)
    }

    #[inline]
    fn read(place: &Spot, reading: &mut Reading<'_>) -> Option<Self> {
        reading.field(place)
    }

    #[inline]
    fn write(&self, place: &Spot, writing: &mut Writing<'_>) -> Result<(), EncodeProblem> {
        writing.field(place, self)
    }

    fn path_at(place: &Spot, column: usize) -> Option<String> {
        place.holds(column).then(String::new)
    }
}

/// The places of a value that may stand several times in one record; one place if it may not.
pub(super) fn places<T: Fields>(
    record: &RecordPlace,
    names: &Names<'_>,
    name: &str,
) -> Result<Vec<T::Place>, UnknownName> {
    let mut places = vec![T::place(record, names, name, 1)?];
    if T::numbered(name) {
        while let Ok(place) = T::place(record, names, name, places.len() + 1) {
            places.push(place);
        }
    }
    Ok(places)
}

/// Reads a row of values; a gap in it would be lost, so it is a problem.
#[inline]
pub(super) fn read_row<T: Fields>(places: &[T::Place], reading: &mut Reading<'_>, values: &mut Vec<T>) {
    let source = reading.source;
    let mut gap = false;
    for place in places {
        if T::is_blank(place, &source) {
            gap = true;
            continue;
        }
        if gap {
            reading.fail_record("no gap in a row of values");
        }
        values.extend(T::read(place, reading));
    }
}

/// A part of the model that begins with a record of its own and may hold other parts.
pub(super) trait Part: Sized {
    type Place;

    fn place(names: &Names<'_>, id: &str) -> Result<Self::Place, UnknownName>;

    fn symbol(place: &Self::Place) -> Symbol;

    /// The part, or `None` after noting why there is none; its records are consumed either way.
    fn read(place: &Self::Place, reader: &mut Reader<'_>) -> Option<Self>;

    fn write(&self, place: &Self::Place, writer: &mut Writer<'_>) -> Result<(), EncodeProblem>;
}

/// Something in a part that has records of its own: none, one or many. The kind says how.
pub(super) trait Child<Kind>: Default {
    type Place;

    fn place(names: &Names<'_>, spec: &[&str]) -> Result<Self::Place, UnknownName>;

    /// Whether the next record is one of these.
    fn accepts(&self, place: &Self::Place, next: Symbol, reader: &Reader<'_>) -> bool;

    fn read(&mut self, place: &Self::Place, reader: &mut Reader<'_>);

    fn write(&self, place: &Self::Place, writer: &mut Writer<'_>) -> Result<(), EncodeProblem>;
}

/// A part with children: `Nested ["id"]`.
pub(super) struct Nested;

/// Values in records without children, one a record or several side by side: `Row ["id", "name"]`;
/// the name is that of a single field, or of the one that differs between records.
pub(super) struct Row;

fn first<'a>(spec: &[&'a str]) -> &'a str {
    spec.first().copied().unwrap_or_default()
}

impl<P: Part> Child<Nested> for Vec<P> {
    type Place = P::Place;

    fn place(names: &Names<'_>, spec: &[&str]) -> Result<P::Place, UnknownName> {
        P::place(names, first(spec))
    }

    #[inline]
    fn accepts(&self, place: &P::Place, next: Symbol, _: &Reader<'_>) -> bool {
        P::symbol(place) == next
    }

    fn read(&mut self, place: &P::Place, reader: &mut Reader<'_>) {
        self.extend(P::read(place, reader));
    }

    fn write(&self, place: &P::Place, writer: &mut Writer<'_>) -> Result<(), EncodeProblem> {
        self.iter()
            .enumerate()
            .try_for_each(|(at, part)| part.write(place, writer).map_err(|problem| problem.within(at)))
    }
}

/// A record of values.
pub(super) struct RowPlace<P> {
    record: RecordPlace,
    places: Vec<P>,
}

fn row_place<T: Fields>(names: &Names<'_>, spec: &[&str]) -> Result<RowPlace<T::Place>, UnknownName> {
    let record = names.record(first(spec), "")?;
    let name = spec.get(1).copied().unwrap_or_default();
    let places = places::<T>(&record, names, name)?;
    Ok(RowPlace { record, places })
}

impl<T: Fields> Child<Row> for Option<T> {
    type Place = RowPlace<T::Place>;

    fn place(names: &Names<'_>, spec: &[&str]) -> Result<Self::Place, UnknownName> {
        row_place::<T>(names, spec)
    }

    #[inline]
    fn accepts(&self, place: &Self::Place, next: Symbol, _: &Reader<'_>) -> bool {
        place.record.symbol == next && self.is_none()
    }

    fn read(&mut self, place: &Self::Place, reader: &mut Reader<'_>) {
        let mut reading = reader.take(&place.record);
        *self = place.places.first().and_then(|place| T::read(place, &mut reading));
    }

    fn write(&self, place: &Self::Place, writer: &mut Writer<'_>) -> Result<(), EncodeProblem> {
        let (Some(value), Some(own)) = (self, place.places.first()) else { return Ok(()) };
        let path_at = |column| T::path_at(own, column);
        writer.record_with(&place.record, |writing| value.write(own, writing), path_at)
    }
}

impl<T: Fields> Child<Row> for Vec<T> {
    type Place = RowPlace<T::Place>;

    fn place(names: &Names<'_>, spec: &[&str]) -> Result<Self::Place, UnknownName> {
        row_place::<T>(names, spec)
    }

    #[inline]
    fn accepts(&self, place: &Self::Place, next: Symbol, _: &Reader<'_>) -> bool {
        place.record.symbol == next
    }

    fn read(&mut self, place: &Self::Place, reader: &mut Reader<'_>) {
        let mut reading = reader.take(&place.record);
        self.extend(place.places.first().and_then(|place| T::read(place, &mut reading)));
    }

    fn write(&self, place: &Self::Place, writer: &mut Writer<'_>) -> Result<(), EncodeProblem> {
        let Some(own) = place.places.first() else { return Ok(()) };
        let path_at = |column| T::path_at(own, column);
        self.iter().enumerate().try_for_each(|(at, value)| {
            writer
                .record_with(&place.record, |writing| value.write(own, writing), path_at)
                .map_err(|problem| problem.within(at))
        })
    }
}

impl<T: Fields> Child<Row> for Rows<T> {
    type Place = RowPlace<T::Place>;

    fn place(names: &Names<'_>, spec: &[&str]) -> Result<Self::Place, UnknownName> {
        row_place::<T>(names, spec)
    }

    #[inline]
    fn accepts(&self, place: &Self::Place, next: Symbol, _: &Reader<'_>) -> bool {
        place.record.symbol == next
    }

    fn read(&mut self, place: &Self::Place, reader: &mut Reader<'_>) {
        let mut reading = reader.take(&place.record);
        let mut values = Vec::new();
        let before = reading.problems.len();
        read_row(&place.places, &mut reading, &mut values);
        if values.is_empty() && before == reading.problems.len() {
            reading.fail_record("at least one value");
        }
        self.push_record(values, place.places.len());
    }

    fn write(&self, place: &Self::Place, writer: &mut Writer<'_>) -> Result<(), EncodeProblem> {
        let mut before = 0;
        self.records(place.places.len()).try_for_each(|values| {
            let path_at = |column| path_in_row::<T>(&place.places, column, before);
            let write = |writing: &mut Writing<'_>| write_row(values, &place.places, before, writing);
            writer.record_with(&place.record, write, path_at)?;
            before += values.len();
            Ok(())
        })
    }
}

/// Walks through a transaction's records.
pub(super) struct Reader<'a> {
    pub(super) transaction: &'a Transaction,
    pub(super) position: usize,
    pub(super) agency: &'a AgencyPlaces,
    pub(super) problems: Vec<DecodeProblem>,
}

impl<'a> Reader<'a> {
    /// The next record's kind.
    #[inline]
    pub(super) fn next(&self) -> Option<Symbol> {
        self.transaction.nodes().get(self.position).map(|node| node.symbol)
    }

    /// The next record's layout.
    #[inline]
    pub(super) fn layout(&self) -> Option<LayoutId> {
        self.transaction.nodes().get(self.position).map(|node| node.layout)
    }

    /// Passes over a record that the model has no place for.
    #[cold]
    pub(super) fn misplaced(&mut self) {
        let columns = &self.transaction.rows()[self.position];
        self.problems.push(DecodeProblem {
            record: String::new(),
            number: self.position as u32 + 1,
            field: String::new(),
            columns: (1, 4),
            found: shown(&columns[..4], false),
            expected: "a record that may stand here once more".to_owned(),
        });
        self.position += 1;
    }

    /// Takes the next record; there is one.
    #[inline]
    pub(super) fn take<'r>(&'r mut self, record: &'r RecordPlace) -> Reading<'r> {
        let number = self.position;
        self.position += 1;
        let source = Source::new(&self.transaction.rows()[number]);
        let mut reading = Reading { source, record, number: number as u32, problems: &mut self.problems };
        let spoilt = record.spoilt(&source);
        if spoilt != 0 {
            reading.fail_fillers(spoilt);
        }
        reading
    }
}

/// Appends records.
pub(super) struct Writer<'a> {
    pub(super) rows: &'a mut Vec<Columns>,
    pub(super) agency: &'a AgencyPlaces,
}

impl Writer<'_> {
    #[inline]
    pub(super) fn record(
        &mut self,
        record: &RecordPlace,
        fill: impl FnOnce(&mut Writing<'_>) -> Result<(), EncodeProblem>,
    ) -> Result<(), EncodeProblem> {
        let mut columns = record.blank();
        fill(&mut Writing { columns: &mut columns, record })?;
        record.verify(&columns)?;
        self.rows.push(columns);
        Ok(())
    }

    /// The same; `path_at` tells what stands in a column that is of the wrong class.
    #[inline]
    pub(super) fn record_with(
        &mut self,
        record: &RecordPlace,
        fill: impl FnOnce(&mut Writing<'_>) -> Result<(), EncodeProblem>,
        path_at: impl FnOnce(usize) -> Option<String>,
    ) -> Result<(), EncodeProblem> {
        self.record(record, fill).map_err(|problem| match path_at(problem.columns.0) {
            Some(path) if problem.path.is_empty() => problem.below(&path),
            _ => problem,
        })
    }
}

/// Pairs the fields of a struct of the model with the fields of a record. `#` in a name stands for
/// the number of a value that stands several times in one record, `=` for the name that the table
/// above gives with the record.
macro_rules! fields {
    ($($name:ident as $place:ident { $($field:ident: $wire:literal,)* })*) => {$(
        pub(in crate::translate) struct $place {
            $($field: Spot,)*
        }

        impl Fields for $name {
            type Place = $place;

            fn place(record: &RecordPlace, names: &Names<'_>, name: &str, number: usize) -> Result<$place, UnknownName> {
                let _ = (record, names, name, number);
                Ok($place {
                    $($field: {
                        let wire = if $wire == "=" { name } else { $wire };
                        record.spot(|value: &Self| &value.$field, names, wire, number)?
                    },)*
                })
            }

            fn numbered(_: &str) -> bool {
                let wires: &[&str] = &[$($wire,)*];
                wires.iter().any(|wire| wire.contains('#'))
            }

            #[inline]
            fn is_blank(place: &$place, source: &Source<'_>) -> bool {
                let _ = (place, source);
                true $(&& source.is_blank(&place.$field))*
            }

            #[inline]
            fn read(place: &$place, reading: &mut Reading<'_>) -> Option<Self> {
                let _ = (place, &reading);
                $(let $field = reading.field(&place.$field);)*
                Some(Self { $($field: $field?,)* })
            }

            #[inline]
            fn write(&self, place: &$place, writing: &mut Writing<'_>) -> Result<(), EncodeProblem> {
                let _ = (place, &writing);
                $(
                    writing
                        .field(&place.$field, &self.$field)
                        .map_err(|problem| problem.below(stringify!($field)))?;
                )*
                Ok(())
            }

            fn path_at(place: &$place, column: usize) -> Option<String> {
                let _ = (place, column);
                $(
                    if place.$field.holds(column) {
                        return Some(stringify!($field).to_owned());
                    }
                )*
                None
            }
        }
    )*};
}

/// Pairs a struct of the model with a record (its `fields`, `inner` structs and `lists` of values
/// that stand side by side) and the records below it, in the order in which they are written.
macro_rules! part {
    ($name:ident as $place:ident {
        fields { $($field:ident: $wire:literal,)* }
        $(inner { $($inner:ident: $inner_type:ty,)* })?
        $(lists { $($list:ident: $list_type:ty,)* })?
        children { $($child:ident: $kind:ident<$child_type:ty> [$($spec:literal),*],)* }
    }) => {
        pub(in crate::translate) struct $place {
            row: RecordPlace,
            $($field: Spot,)*
            $($($inner: <$inner_type as Fields>::Place,)*)?
            $($($list: Vec<<$list_type as Fields>::Place>,)*)?
            $($child: <$child_type as Child<$kind>>::Place,)*
        }

        impl Part for $name {
            type Place = $place;

            fn place(names: &Names<'_>, id: &str) -> Result<$place, UnknownName> {
                let row = names.record(id, "")?;
                let names = &names.below(id);
                Ok($place {
                    $($field: row.spot(|value: &Self| &value.$field, names, $wire, 1)?,)*
                    $($($inner: <$inner_type as Fields>::place(&row, names, "", 1)?,)*)?
                    $($($list: places::<$list_type>(&row, names, "")?,)*)?
                    $($child: <$child_type as Child<$kind>>::place(names, &[$($spec),*])?,)*
                    row,
                })
            }

            #[inline]
            fn symbol(place: &$place) -> Symbol {
                place.row.symbol
            }

            fn read(place: &$place, reader: &mut Reader<'_>) -> Option<Self> {
                let mut reading = reader.take(&place.row);
                $(let $field = reading.field(&place.$field);)*
                $($(let $inner = <$inner_type as Fields>::read(&place.$inner, &mut reading);)*)?
                $($(
                    let mut $list = Vec::new();
                    read_row::<$list_type>(&place.$list, &mut reading, &mut $list);
                )*)?
                $(let mut $child = <$child_type>::default();)*
                $(
                    while let Some(next) = reader.next()
                        && Child::<$kind>::accepts(&$child, &place.$child, next, reader)
                    {
                        Child::<$kind>::read(&mut $child, &place.$child, reader);
                    }
                )*
                Some(Self {
                    $($field: $field?,)*
                    $($($inner: $inner?,)*)?
                    $($($list,)*)?
                    $($child,)*
                })
            }

            fn write(&self, place: &$place, writer: &mut Writer<'_>) -> Result<(), EncodeProblem> {
                let fill = |writing: &mut Writing<'_>| {
                    $(
                        writing
                            .field(&place.$field, &self.$field)
                            .map_err(|problem| problem.below(stringify!($field)))?;
                    )*
                    $($(
                        self.$inner
                            .write(&place.$inner, writing)
                            .map_err(|problem| problem.below(stringify!($inner)))?;
                    )*)?
                    $($(
                        write_row(&self.$list, &place.$list, 0, writing)
                            .map_err(|problem| problem.below(stringify!($list)))?;
                    )*)?
                    Ok(())
                };
                let path_at = |column: usize| {
                    $(
                        if place.$field.holds(column) {
                            return Some(stringify!($field).to_owned());
                        }
                    )*
                    $($(
                        if let Some(path) = <$inner_type as Fields>::path_at(&place.$inner, column) {
                            return Some(format!("{}.{path}", stringify!($inner)));
                        }
                    )*)?
                    $($(
                        if let Some(path) = path_in_row::<$list_type>(&place.$list, column, 0) {
                            return Some(format!("{}{path}", stringify!($list)));
                        }
                    )*)?
                    None
                };
                writer.record_with(&place.row, fill, path_at)?;
                $(
                    Child::<$kind>::write(&self.$child, &place.$child, writer)
                        .map_err(|problem| problem.below(stringify!($child)))?;
                )*
                Ok(())
            }
        }
    };
}

pub(super) use {fields, part};

/// Writes values side by side; `before` of the list stand in records before.
pub(super) fn write_row<T: Fields>(
    values: &[T],
    places: &[T::Place],
    before: usize,
    writing: &mut Writing<'_>,
) -> Result<(), EncodeProblem> {
    if values.len() > places.len() {
        return Err(EncodeProblem {
            path: Box::default(),
            record: writing.record.id.clone(),
            field: String::new(),
            columns: (1, writing.columns.len()),
            found: format!("{} values", values.len()),
            expected: format!("at most {}", places.len()).into(),
        });
    }
    let mut pairs = values.iter().zip(places).enumerate();
    pairs.try_for_each(|(at, (value, place))| {
        value.write(place, writing).map_err(|problem| problem.within(before + at))
    })
}

/// The path of what stands in a column of values side by side.
pub(super) fn path_in_row<T: Fields>(places: &[T::Place], column: usize, before: usize) -> Option<String> {
    places.iter().enumerate().find_map(|(at, place)| {
        let path = T::path_at(place, column)?;
        let separator = if path.is_empty() { "" } else { "." };
        Some(format!("[{}]{separator}{path}", before + at))
    })
}
