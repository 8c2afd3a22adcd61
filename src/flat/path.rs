//! Paths into the JSON of the model: `header.entry_number`, `tariffs[0].duty`,
//! `fees[class=499].amount`.

use std::fmt;

use serde_json::{Map, Value};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
    /// The element of a list whose key has this text; made when there is none.
    Where(String, String),
}

/// A place in an object of the model.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Path(pub(super) Vec<Step>);

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if at == 0 => formatter.write_str(key)?,
                Step::Key(key) => write!(formatter, ".{key}")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
                Step::Where(key, text) => write!(formatter, "[{key}={text}]")?,
            }
        }
        Ok(())
    }
}

impl Path {
    /// The path that is written so.
    pub(super) fn new(written: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in written.split('.') {
            let (key, mut brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
            if key.is_empty() {
                return None;
            }
            steps.push(Step::Key(key.to_owned()));
            while let Some(rest) = brackets.strip_prefix('[') {
                let (inside, behind) = rest.split_once(']')?;
                steps.push(match inside.split_once('=') {
                    Some((key, value)) => Step::Where(key.to_owned(), value.to_owned()),
                    None => Step::Index(inside.parse().ok()?),
                });
                brackets = behind;
            }
            if !brackets.is_empty() {
                return None;
            }
        }
        // An element that is looked for by a key has something else in it that is mapped.
        (!matches!(steps.last(), Some(Step::Where(..)))).then_some(Self(steps))
    }

    /// What stands there.
    pub(super) fn get<'v>(&self, object: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(object, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
            Step::Where(key, text) => value.as_array()?.iter().find(|element| has(element, key, text)),
        })
    }

    /// Puts a value there, with what is around it; `None` if something else is in the way.
    pub(super) fn set(&self, object: &mut Value, new: Value) -> Option<()> {
        let mut value = object;
        for step in &self.0 {
            value = match step {
                Step::Key(key) => {
                    let inner = made(value, Value::Object(Map::new())).as_object_mut()?;
                    inner.entry(key.as_str()).or_insert(Value::Null)
                }
                Step::Index(index) => {
                    let list = made(value, Value::Array(Vec::new())).as_array_mut()?;
                    while list.len() <= *index {
                        list.push(Value::Null);
                    }
                    list.get_mut(*index)?
                }
                Step::Where(key, text) => {
                    let list = made(value, Value::Array(Vec::new())).as_array_mut()?;
                    let at = list.iter().position(|element| has(element, key, text));
                    let at = at.unwrap_or_else(|| {
                        list.push(Value::Object(Map::from_iter([(key.clone(), text.as_str().into())])));
                        list.len() - 1
                    });
                    list.get_mut(at)?
                }
            };
        }
        value.is_null().then(|| *value = new)
    }

    /// The path with the indices that an object has, as an error would name it.
    pub(super) fn in_object(&self, object: &Value) -> String {
        let mut text = String::new();
        let mut value = Some(object);
        for step in &self.0 {
            value = match step {
                Step::Key(key) => {
                    text = if text.is_empty() { key.clone() } else { format!("{text}.{key}") };
                    value.and_then(|value| value.get(key))
                }
                Step::Index(index) => {
                    text += &format!("[{index}]");
                    value.and_then(|value| value.get(index))
                }
                Step::Where(key, wanted) => {
                    let list = value.and_then(Value::as_array);
                    let at = list.and_then(|list| list.iter().position(|element| has(element, key, wanted)));
                    text += &format!("[{}]", at.unwrap_or_default());
                    list.and_then(|list| list.get(at?))
                }
            };
        }
        text
    }

    /// Whether something of `object` is at this place or around it, other than objects.
    pub(super) fn meets(&self, object: &Value) -> bool {
        let mut value = object;
        for step in &self.0 {
            let Step::Key(key) = step else { return true };
            match value {
                Value::Object(inner) => match inner.get(key) {
                    Some(found) => value = found,
                    None => return false,
                },
                _ => return true,
            }
        }
        true
    }

    /// The only key, of a list directly in its object.
    pub(super) fn only_key(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Step::Key(key)] => Some(key),
            _ => None,
        }
    }
}

fn has(element: &Value, key: &str, text: &str) -> bool {
    element.get(key).and_then(Value::as_str) == Some(text)
}

fn made(value: &mut Value, empty: Value) -> &mut Value {
    if value.is_null() {
        *value = empty;
    }
    value
}

/// What an object has that another one made from it has not, and the other way round (as nothing).
/// Lists are taken whole.
pub(super) fn left_over(original: &Value, made: &Value) -> Option<Value> {
    let (Value::Object(original), Value::Object(made)) = (original, made) else {
        return (original != made).then(|| original.clone());
    };
    let mut left = Map::new();
    for (key, value) in original {
        let rest = match made.get(key) {
            Some(other) => left_over(value, other),
            None => Some(value.clone()),
        };
        left.extend(rest.map(|rest| (key.clone(), rest)));
    }
    let invented = made.keys().filter(|key| !original.contains_key(*key));
    left.extend(invented.map(|key| (key.clone(), Value::Null)));
    (!left.is_empty()).then_some(Value::Object(left))
}

/// Adds what is left over to an object; gives the path of what stands in both.
pub(super) fn join(object: &mut Value, rest: Value) -> Result<(), String> {
    let (Value::Object(object), Value::Object(rest)) = (object, rest) else {
        return Err(String::new());
    };
    for (key, value) in rest {
        match object.get_mut(&key) {
            None => drop(object.insert(key, value)),
            Some(known) => join(known, value).map_err(|path| match path.as_str() {
                "" => key,
                path => format!("{key}.{path}"),
            })?,
        }
    }
    Ok(())
}

/// The first place in an object that is no object.
pub(super) fn first_place(value: &Value) -> String {
    match value.as_object().and_then(|object| object.iter().next()) {
        None => String::new(),
        Some((key, inner)) => match first_place(inner).as_str() {
            "" => key.clone(),
            path => format!("{key}.{path}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(written: &str) -> Path {
        Path::new(written).unwrap()
    }

    #[test]
    fn what_is_set_is_found() {
        let mut object = json!({});
        for (written, value) in [
            ("action", json!("add")),
            ("header.entry_number", json!("00001015")),
            ("fees[class=501].amount", json!("1.00")),
            ("fees[class=499].amount", json!("2.00")),
            ("quantities[1].unit", json!("KG")),
            ("descriptions[0]", json!("HATS")),
        ] {
            path(written).set(&mut object, value.clone()).unwrap();
            assert_eq!(path(written).get(&object), Some(&value), "{written}");
        }
        assert_eq!(object["fees"][1], json!({"class": "499", "amount": "2.00"}));
        assert_eq!(path("fees[class=499].amount").in_object(&object), "fees[1].amount");
        assert_eq!(object["quantities"][0], json!(null));
        assert_eq!(path("action").set(&mut object, json!("delete")), None);
        assert_eq!(path("action.more").set(&mut object, json!("x")), None);
        for wrong in ["", "a..b", "a[", "a[x]", "[0]", "a[0]b", "a[k=v]"] {
            assert_eq!(Path::new(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_left_over_can_be_joined() {
        let original = json!({"a": 1, "b": {"c": 2, "d": [1, 2]}, "e": {"f": 3}});
        let made = json!({"a": 1, "b": {"c": 2}, "e": {"f": 3}});
        let rest = left_over(&original, &made).unwrap();
        assert_eq!(rest, json!({"b": {"d": [1, 2]}}));
        assert_eq!(first_place(&rest), "b.d");
        let mut joined = made.clone();
        join(&mut joined, rest.clone()).unwrap();
        assert_eq!(joined, original);
        assert_eq!(join(&mut joined, rest), Err("b.d".to_owned()));
        assert_eq!(left_over(&original, &original), None);
        assert_eq!(left_over(&made, &original), Some(json!({"b": {"d": null}})));
        assert!(path("b.d[0]").meets(&json!({"b": {"d": [1]}})));
        assert!(!path("b.c").meets(&json!({"b": {"d": [1]}})));
    }
}
