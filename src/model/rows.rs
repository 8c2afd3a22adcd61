//! Values that stand side by side in records.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::object::Absent;

/// Values of which a record holds several. Nearly always every record but the last is full, and they are
/// a list; no chapter demands it, so a filing that leaves records half filled is a list of such lists, one
/// a record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rows<T> {
    values: Vec<T>,
    /// How many values each record has, if one before the last is not full.
    lengths: Vec<usize>,
}

impl<T> Rows<T> {
    /// Adds a value to the end.
    pub fn push(&mut self, value: T) {
        self.values.push(value);
        if let Some(last) = self.lengths.last_mut() {
            *last += 1;
        }
    }

    /// Adds the values of one more record, which could hold so many.
    pub(crate) fn push_record(&mut self, values: Vec<T>, most: usize) {
        let last = self.values.len() % most.max(1);
        if self.lengths.is_empty() && last != 0 {
            self.lengths = vec![most; self.values.len() / most];
            self.lengths.push(last);
        }
        if !self.lengths.is_empty() {
            self.lengths.push(values.len());
        }
        self.values.extend(values);
    }

    /// The values record by record, if a record can hold so many.
    pub(crate) fn records(&self, most: usize) -> impl Iterator<Item = &[T]> {
        let mut rest = self.values.as_slice();
        let mut lengths = self.lengths.iter();
        std::iter::from_fn(move || {
            let length = lengths.next().copied().unwrap_or(most).min(rest.len());
            let (record, after) = rest.split_at(length);
            rest = after;
            (!record.is_empty()).then_some(record)
        })
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { values: Vec::new(), lengths: Vec::new() }
    }
}

impl<T> Deref for Rows<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(values: Vec<T>) -> Self {
        Self { values, lengths: Vec::new() }
    }
}

impl<T> FromIterator<T> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        values.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a, T> IntoIterator for &'a Rows<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter()
    }
}

impl<T> Absent for Rows<T> {
    fn is_absent(&self) -> bool {
        self.values.is_empty()
    }
}

impl<T: Serialize> Serialize for Rows<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.lengths.is_empty() {
            return self.values.serialize(serializer);
        }
        serializer.collect_seq(self.records(usize::MAX))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut rows = Self::default();
        for element in Vec::<Element<T>>::deserialize(deserializer)? {
            match element {
                Element::Value(value) if rows.lengths.is_empty() => rows.values.push(value),
                Element::Record(_) if rows.lengths.is_empty() != rows.values.is_empty() => {
                    return Err(Error::custom("values and lists of values do not mix"));
                }
                Element::Record(values) if !values.is_empty() => {
                    rows.lengths.push(values.len());
                    rows.values.extend(values);
                }
                Element::Record(_) => return Err(Error::custom("a record has at least one value")),
                Element::Value(_) => return Err(Error::custom("values and lists of values do not mix")),
            }
        }
        Ok(rows)
    }
}

enum Element<T> {
    Value(T),
    Record(Vec<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Element<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ElementVisitor(PhantomData))
    }
}

struct ElementVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ElementVisitor<T> {
    type Value = Element<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value, or the values of one record")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Element<T>, E> {
        T::deserialize(text.into_deserializer()).map(Element::Value)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Element<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Element::Value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Element<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Element::Record)
    }
}

impl<T: JsonSchema> JsonSchema for Rows<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Rows_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({
            "anyOf": [
                {"type": "array", "items": value},
                {"type": "array", "items": {"type": "array", "items": value, "minItems": 1}},
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(records: &[&[&str]]) -> Rows<String> {
        let mut rows = Rows::default();
        for record in records {
            rows.push_record(record.iter().map(|&text| text.to_owned()).collect(), 2);
        }
        rows
    }

    #[test]
    fn full_records_are_a_list_and_others_a_list_of_lists() {
        for (records, json) in [
            (&[&["a", "b"][..], &["c"][..]][..], r#"["a","b","c"]"#),
            (&[&["a"][..], &["b", "c"][..]][..], r#"[["a"],["b","c"]]"#),
            (&[&["a", "b"][..], &["c"][..], &["d"][..]][..], r#"[["a","b"],["c"],["d"]]"#),
            (&[][..], "[]"),
        ] {
            let made = rows(records);
            assert_eq!(serde_json::to_string(&made).unwrap(), json);
            let read = serde_json::from_str::<Rows<String>>(json).unwrap();
            assert_eq!(read, made);
            assert!(read.records(2).eq(records.iter().copied()), "{json}");
        }
        assert!(serde_json::from_str::<Rows<String>>(r#"["a",["b"]]"#).is_err());
        assert!(serde_json::from_str::<Rows<String>>(r#"[["a"],"b"]"#).is_err());
        assert!(serde_json::from_str::<Rows<String>>("[[]]").is_err());
    }
}
