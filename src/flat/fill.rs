//! Objects of the model from the values of rows, and the values from the objects.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::layout::{Cells, Row, constant};
use super::mapping::{Body, Entry, Source};
use super::path::{first_place, join, left_over};
use crate::wire::Encoding;

/// Why an object cannot be made or written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Misfit {
    /// The field, if it is one's fault.
    pub(super) field: Option<usize>,
    pub(super) found: String,
    pub(super) expected: String,
}

impl Body {
    /// Adds what a row says to an object.
    pub(super) fn build(&self, cells: &Cells, object: &mut Value) -> Result<(), Misfit> {
        for entry in &self.entries {
            let value = match &entry.source {
                Source::Constant(value) => Some(value.clone()),
                Source::Field(field) => match &cells[*field] {
                    // What is false the model leaves out, too.
                    None => None,
                    Some(text) => entry.value_of(text).map_err(|expected| Misfit {
                        field: Some(*field),
                        found: text.clone(),
                        expected,
                    })?,
                },
            };
            if let Some(value) = value
                && entry.path.set(object, value).is_none()
            {
                let field = entry.field();
                let found = "another value in the same place".to_owned();
                return Err(Misfit { field, found, expected: "one value for each place".to_owned() });
            }
        }
        if let Some(field) = self.rest
            && let Some(text) = &cells[field]
        {
            let misfit = |found: String, expected: &str| Misfit {
                field: Some(field),
                found,
                expected: expected.to_owned(),
            };
            let rest = serde_json::from_str::<Map<String, Value>>(text)
                .map_err(|error| misfit(error.to_string(), "a JSON object"))?;
            join(object, Value::Object(rest))
                .map_err(|path| misfit(format!("{path}, which a column has too"), "what no column has"))?;
        }
        Ok(())
    }

    /// Whether a row says nothing for this body.
    pub(super) fn is_blank(&self, cells: &Cells) -> bool {
        let fields = self.entries.iter().filter_map(Entry::field).chain(self.rest);
        fields.into_iter().all(|field| cells[field].is_none())
    }

    fn fill_without(
        &self,
        object: &Value,
        left: Option<&Value>,
        cells: &mut Cells,
        row: &Row,
        encoding: Encoding,
    ) -> Result<(), Misfit> {
        for entry in &self.entries {
            let Some(field) = entry.field() else { continue };
            if left.is_some_and(|left| entry.path.meets(left)) {
                cells[field] = None;
                continue;
            }
            let Some(text) = entry.text_of(entry.path.get(object)) else { continue };
            match row.fields[field].settled(&text, encoding) {
                // An amount comes back with the places of its field: the same number.
                Ok(Some(settled)) if !same_amount(&settled, &text) => cells[field] = Some(settled),
                Ok(Some(_)) => cells[field] = Some(text),
                Ok(None) => cells[field] = None,
                Err(_) if left.is_none() && self.rest.is_some() => cells[field] = None,
                Err(expected) => return Err(Misfit { field: Some(field), found: text, expected }),
            }
        }
        Ok(())
    }
}

/// A row that is being written for an object, and what its fields become.
pub(super) struct Filling<'a> {
    pub(super) row: &'a Row,
    pub(super) body: &'a Body,
    pub(super) cells: Cells,
}

/// Fills the rows of one object so that reading them makes the object again. Only the first of them
/// may have a field for the rest.
pub(super) fn fill(
    object: &Value,
    fillings: &mut [Filling<'_>],
    encoding: Encoding,
) -> Result<(), (usize, Misfit)> {
    fill_without(object, None, fillings, encoding)?;
    let Some(left) = left(object, fillings)? else { return Ok(()) };
    let Some(rest) = fillings.first().and_then(|filling| filling.body.rest) else {
        return Err((0, not_carried(&left)));
    };
    fill_without(object, Some(&left), fillings, encoding)?;
    // What is now blank is left over as well.
    let left_now = self::left(object, fillings)?.unwrap_or_else(|| Value::Object(Map::new()));
    fillings[0].cells[rest] = Some(left_now.to_string());
    self::left(object, fillings)?.map_or(Ok(()), |left| Err((0, not_carried(&left))))
}

fn fill_without(
    object: &Value,
    left: Option<&Value>,
    fillings: &mut [Filling<'_>],
    encoding: Encoding,
) -> Result<(), (usize, Misfit)> {
    for (index, filling) in fillings.iter_mut().enumerate() {
        let filled = filling.body.fill_without(object, left, &mut filling.cells, filling.row, encoding);
        filled.map_err(|misfit| (index, misfit))?;
    }
    Ok(())
}

/// What reading the rows would not make of the object.
fn left(object: &Value, fillings: &[Filling<'_>]) -> Result<Option<Value>, (usize, Misfit)> {
    let mut made = Value::Object(Map::new());
    for (index, filling) in fillings.iter().enumerate() {
        filling.body.build(&filling.cells, &mut made).map_err(|misfit| (index, misfit))?;
    }
    Ok(left_over(object, &made))
}

fn same_amount(one: &str, other: &str) -> bool {
    let is_amount = |text: &str| text.contains('.') || !text.starts_with('0') || text == "0";
    let number = |text: &str| Decimal::from_str_exact(text).ok().filter(|_| is_amount(text));
    number(one).is_some_and(|number_one| number(other) == Some(number_one))
}

pub(super) fn not_carried(left: &Value) -> Misfit {
    Misfit {
        field: None,
        found: format!("{}, which no field carries", first_place(left)),
        expected: "what the mapping speaks of".to_owned(),
    }
}

impl Entry {
    pub(super) fn field(&self) -> Option<usize> {
        match self.source {
            Source::Field(field) => Some(field),
            Source::Constant(_) => None,
        }
    }

    fn value_of(&self, text: &str) -> Result<Option<Value>, String> {
        if !self.codes.is_empty() {
            let code = self.codes.iter().find(|(known, _)| known == text).map(|(_, code)| code);
            let code = code.ok_or_else(|| {
                let known = self.codes.iter().map(|(text, _)| format!("{text:?}")).collect::<Vec<_>>();
                format!("one of {}", known.join(" "))
            })?;
            return Ok(Some(constant(code)).filter(|value| *value != Value::Bool(false)));
        }
        if self.integer {
            let number = text.parse::<u64>().map_err(|_| "a whole number".to_owned())?;
            return Ok(Some(number.into()));
        }
        Ok(Some(text.into()))
    }

    /// The text that gives a value of the model; none for what has no text.
    fn text_of(&self, value: Option<&Value>) -> Option<String> {
        if !self.codes.is_empty() {
            let value = value.cloned().unwrap_or(Value::Bool(false));
            return self.codes.iter().find(|(_, code)| constant(code) == value).map(|(text, _)| text.clone());
        }
        match value? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) if self.integer => Some(number.to_string()),
            _ => None,
        }
    }
}
