//! Partner agency data: records in a tree, close to the grammar, so that nothing is lost of what
//! some forty agencies ask for in their own ways.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::{Code, Text};

/// The text of one field of a partner agency record.
pub type AgencyText = Text<80>;

/// A record and the records that belong to it.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyRecord {
    /// The record's control identifier.
    pub record: Code<4>,
    /// Its fields.
    #[serde(default, skip_serializing_if = "AgencyFields::is_empty")]
    pub fields: AgencyFields,
    /// The records below it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<AgencyRecord>,
}

/// The fields of a record that are not blank, by name, in the order of the record. Numbers and dates
/// are the digits that travel. `Debug` shows the names only: the texts may hold taxpayers' numbers.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct AgencyFields(Vec<(Arc<str>, AgencyText)>);

impl AgencyFields {
    /// Room for a number of fields.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a field.
    pub fn push(&mut self, name: Arc<str>, text: AgencyText) {
        self.0.push((name, text));
    }

    /// The text of the field with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AgencyText> {
        self.0.iter().find(|(own, _)| **own == *name).map(|(_, text)| text)
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &AgencyText)> {
        self.0.iter().map(|(name, text)| (name, text))
    }
}

impl fmt::Debug for AgencyFields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl JsonSchema for AgencyFields {
    fn schema_name() -> Cow<'static, str> {
        "AgencyFields".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": generator.subschema_for::<AgencyText>()})
    }
}

impl Serialize for AgencyFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, text) in &self.0 {
            map.serialize_entry(&**name, text)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for AgencyFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = AgencyFields;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("texts by field name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AgencyFields, A::Error> {
                let mut fields = AgencyFields::default();
                while let Some((name, text)) = map.next_entry::<String, AgencyText>()? {
                    if fields.get(&name).is_some() {
                        return Err(serde::de::Error::custom(format_args!("field {name} stands twice")));
                    }
                    fields.push(name.into(), text);
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}
