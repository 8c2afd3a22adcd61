//! JSON to records, one batch or line after the other.

use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::value::{RAW, RAW_HEX, put_value, raw_record};
use crate::grammar::{Direction, Field, Grammar, Layout};
use crate::message::check::is_secret;
use crate::message::lexicon::{Lexicon, Lexicons};
use crate::wire::Columns;

/// JSON that cannot be read as records.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Not JSON, or not of the right shape at the top.
    #[error(transparent)]
    Syntax(#[from] serde_json::Error),
    /// Something in it is no record.
    #[error(transparent)]
    Fault(#[from] Box<ReadFault>),
    /// A filing that cannot be translated to records.
    #[error("{path}: {message}")]
    Filing {
        /// Where in the document, as `batches[0].blocks[0].filings[0]`.
        path: String,
        /// What the translation says.
        message: String,
    },
    /// What the records were given to failed.
    #[error(transparent)]
    Output(io::Error),
}

/// What in a document is no record, and why.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReadFault {
    /// Where in the document, as `batches[0].blocks[0].header`.
    pub path: String,
    /// The record's control identifier, if it is known.
    pub record: String,
    /// The field, if it is one field's fault.
    pub field: Option<String>,
    /// The field's first and last column, from 1.
    pub columns: Option<(usize, usize)>,
    /// What was found; not told of passwords.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

impl fmt::Display for ReadFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.path.is_empty() { "document" } else { &self.path })?;
        if !self.record.is_empty() {
            write!(formatter, ": record {}", self.record)?;
        }
        if let Some(field) = &self.field {
            write!(formatter, ", field {field}")?;
        }
        if let Some((first, last)) = self.columns {
            write!(formatter, ", columns {first}-{last}")?;
        }
        write!(formatter, ": found {}, expected {}", self.found, self.expected)
    }
}

impl std::error::Error for ReadFault {}

/// Makes records of a filing, or says what is wrong with it.
type Filings<'f> = &'f dyn Fn(&Value) -> Result<Vec<Columns>, String>;

/// For documents that hold records only.
///
/// # Errors
/// Always.
pub fn no_filings(_: &Value) -> Result<Vec<Columns>, String> {
    Err("filings cannot be translated here".to_owned())
}

/// Reads a `records` document and gives its records to `sink`, in order. It holds one batch at most.
///
/// # Errors
/// The first thing that is no record, or what the sink fails with; the records before it have been
/// given.
pub fn read_records(
    grammar: &Grammar,
    input: impl Read,
    filings: Filings<'_>,
    sink: &mut dyn FnMut(&Columns) -> io::Result<()>,
) -> Result<(), ReadError> {
    let mut reader = Reader::new(grammar, filings, sink);
    let mut document = serde_json::Deserializer::from_reader(input);
    let done = Document(&mut reader).deserialize(&mut document).and_then(|()| document.end());
    match reader.failure.take() {
        Some(failure) => Err(failure),
        None => Ok(done?),
    }
}

/// Reads the line form and gives its records to `sink`, in order. It holds one transaction at most.
///
/// # Errors
/// The first thing that is no record, or what the sink fails with; the records before it have been
/// given.
pub fn read_ndjson(
    grammar: &Grammar,
    input: impl Read,
    filings: Filings<'_>,
    sink: &mut dyn FnMut(&Columns) -> io::Result<()>,
) -> Result<(), ReadError> {
    let mut reader = Reader::new(grammar, filings, sink);
    let lines = serde_json::Deserializer::from_reader(input).into_iter::<Value>();
    for (line, value) in lines.enumerate() {
        reader.path = format!("[{line}]");
        reader.line(&value?)?;
    }
    Ok(())
}

struct Reader<'g, 's> {
    filings: Filings<'s>,
    lexicons: Lexicons<'g>,
    batch: Rc<Lexicon<'g>>,
    block: Rc<Lexicon<'g>>,
    /// The batch and block of the line before.
    place: [Option<Value>; 2],
    path: String,
    sink: &'s mut dyn FnMut(&Columns) -> io::Result<()>,
    failure: Option<ReadError>,
}

type Done = Result<(), ReadError>;

impl<'g, 's> Reader<'g, 's> {
    fn new(
        grammar: &'g Grammar,
        filings: Filings<'s>,
        sink: &'s mut dyn FnMut(&Columns) -> io::Result<()>,
    ) -> Self {
        let mut lexicons = Lexicons::new(grammar);
        let nothing = lexicons.get("", Direction::Input);
        Self {
            filings,
            lexicons,
            batch: Rc::clone(&nothing),
            block: nothing,
            place: [None, None],
            path: String::new(),
            sink,
            failure: None,
        }
    }

    fn line(&mut self, line: &Value) -> Done {
        let keys = [
            "batch",
            "block",
            "transaction",
            "application",
            "direction",
            "before",
            "group",
            "members",
            "unstructured",
            "fault",
            "filing",
            "after",
        ];
        let object = self.object(line, &keys)?;
        let headers = object.get("before").and_then(Value::as_array);
        self.enter_batch(object, headers.map(Vec::as_slice).unwrap_or_default())?;
        let place = ["batch", "block"].map(|key| object.get(key).cloned());
        if place != self.place {
            self.block = Rc::clone(&self.batch);
            self.place = place;
        }
        self.list(object, "before", |reader, value| reader.control(value))?;
        if object.contains_key("members") || object.contains_key("unstructured") {
            self.body(object)?;
        }
        self.one(object, "filing", |reader, value| reader.filing(value))?;
        self.list(object, "after", |reader, value| reader.control(value))
    }

    fn batch(&mut self, batch: &Value) -> Done {
        let object = self.object(batch, &["application", "direction", "header", "blocks", "trailer"])?;
        let header = object.get("header").into_iter();
        let first_block = object.get("blocks").and_then(|blocks| blocks.get(0)?.get("header"));
        let headers = header.chain(first_block).cloned().collect::<Vec<_>>();
        self.enter_batch(object, &headers)?;
        self.one(object, "header", |reader, value| reader.control(value))?;
        self.list(object, "blocks", |reader, value| reader.block(value))?;
        self.one(object, "trailer", |reader, value| reader.control(value))
    }

    fn block(&mut self, block: &Value) -> Done {
        let object = self.object(block, &["header", "transactions", "filings", "trailer"])?;
        self.block = Rc::clone(&self.batch);
        self.one(object, "header", |reader, value| reader.control(value))?;
        self.list(object, "transactions", |reader, value| {
            let object = reader.object(value, &["group", "members", "unstructured", "fault"])?;
            reader.body(object)
        })?;
        self.list(object, "filings", |reader, value| reader.filing(value))?;
        self.one(object, "trailer", |reader, value| reader.control(value))
    }

    /// A transaction: a group, or records without structure.
    fn body(&mut self, object: &Map<String, Value>) -> Done {
        self.list(object, "members", |reader, value| reader.member(value))?;
        self.list(object, "unstructured", |reader, value| reader.detail(value))
    }

    fn filing(&mut self, filing: &Value) -> Done {
        let rows = (self.filings)(filing)
            .map_err(|message| ReadError::Filing { path: self.path.clone(), message })?;
        rows.iter().try_for_each(|row| (self.sink)(row)).map_err(ReadError::Output)
    }

    fn member(&mut self, member: &Value) -> Done {
        if member.get("members").is_none() {
            return self.detail(member);
        }
        let object = self.object(member, &["group", "members"])?;
        self.list(object, "members", |reader, value| reader.member(value))
    }

    /// Finds the application: it is named, or else the headers name it.
    fn enter_batch(&mut self, object: &Map<String, Value>, headers: &[Value]) -> Done {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let in_header = || {
            let codes = headers.iter().map(|header| &header["fields"]["application_identifier_code"]);
            codes.filter_map(Value::as_str).next()
        };
        let application = text("application").or_else(in_header).unwrap_or_default().to_owned();
        let direction = match object.get("direction").map(Value::as_str) {
            None => self.lexicons.named_direction(&application),
            Some(Some("in")) => Direction::Input,
            Some(Some("out")) => Direction::Output,
            Some(_) => return Err(self.fault(&object["direction"], "\"in\" or \"out\"")),
        };
        if self.batch.application != application || self.batch.direction != direction {
            self.batch = self.lexicons.get(&application, direction);
        }
        Ok(())
    }

    fn control(&mut self, value: &Value) -> Done {
        let lexicon = Rc::clone(&self.batch);
        let row = self.record(value, &lexicon)?;
        if row[0].eq_ignore_ascii_case(&b'B') {
            self.block = self.lexicons.of_block(&self.batch, &row);
        }
        (self.sink)(&row).map_err(ReadError::Output)
    }

    fn detail(&mut self, value: &Value) -> Done {
        let lexicon = Rc::clone(&self.block);
        let row = self.record(value, &lexicon)?;
        (self.sink)(&row).map_err(ReadError::Output)
    }

    fn record(&mut self, value: &Value, lexicon: &Lexicon<'g>) -> Result<Columns, ReadError> {
        let object = self.object(value, &["record", "name", "variant", "fields", RAW, RAW_HEX])?;
        if object.contains_key(RAW) || object.contains_key(RAW_HEX) {
            return raw_record(value)
                .ok_or_else(|| self.fault(value, "at most 80 columns, and no other key"));
        }
        let layout = self.layout(object, lexicon)?;
        let mut row = layout.blank();
        let none = Map::new();
        let fields = match object.get("fields") {
            Some(Value::Object(fields)) => fields,
            None => &none,
            Some(other) => return Err(self.fault(other, "an object with the fields")),
        };
        for (key, value) in fields {
            let Some(field) = field(layout, key) else {
                let names = layout.fields.iter().filter(|field| !field.is_filler());
                let expected = one_of(names.map(|field| field.name.as_str()));
                return Err(self.fault_in(layout, None, format!("field {key:?}"), expected));
            };
            put_value(field, &mut row, value).map_err(|expected| {
                let found =
                    if is_secret(key) { "a value that does not fit".into() } else { value.to_string() };
                self.fault_in(layout, Some((key, field)), found, expected)
            })?;
        }
        Ok(row)
    }

    fn layout(&self, object: &Map<String, Value>, lexicon: &Lexicon<'g>) -> Result<&'g Layout, ReadError> {
        let Some(record) = object.get("record").and_then(Value::as_str) else {
            let found = object.get("record").unwrap_or(&Value::Null);
            return Err(self.fault(found, "a control identifier as \"record\""));
        };
        let layouts = lexicon.variants(record);
        if layouts.is_empty() {
            return Err(self.fault(&object["record"], &one_of(lexicon.records())));
        }
        let variant = object.get("variant").and_then(Value::as_str);
        let found = match (variant, layouts) {
            (None, [only]) => Some(only),
            (variant, _) => layouts.iter().find(|layout| layout.variant == variant.unwrap_or_default()),
        };
        found.copied().ok_or_else(|| {
            let variants = layouts.iter().map(|layout| layout.variant.as_str());
            let found = object.get("variant").map_or("no variant".to_owned(), Value::to_string);
            self.fault_in(layouts[0], None, found, one_of(variants))
        })
    }

    fn object<'v>(&self, value: &'v Value, keys: &[&str]) -> Result<&'v Map<String, Value>, ReadError> {
        let object = value.as_object().ok_or_else(|| self.fault(value, "an object"))?;
        match object.keys().find(|key| !keys.contains(&key.as_str())) {
            None => Ok(object),
            Some(key) => Err(self.fault(&Value::from(key.as_str()), &one_of(keys.iter().copied()))),
        }
    }

    fn one(
        &mut self,
        object: &Map<String, Value>,
        key: &str,
        take: impl Fn(&mut Self, &Value) -> Done,
    ) -> Done {
        let Some(value) = object.get(key) else { return Ok(()) };
        let length = self.path.len();
        self.path.push('.');
        self.path.push_str(key);
        take(self, value)?;
        self.path.truncate(length);
        Ok(())
    }

    fn list(
        &mut self,
        object: &Map<String, Value>,
        key: &str,
        take: impl Fn(&mut Self, &Value) -> Done,
    ) -> Done {
        self.one(object, key, |reader, value| {
            let list = value.as_array().ok_or_else(|| reader.fault(value, "a list"))?;
            let length = reader.path.len();
            for (index, element) in list.iter().enumerate() {
                reader.path.push_str(&format!("[{index}]"));
                take(reader, element)?;
                reader.path.truncate(length);
            }
            Ok(())
        })
    }

    fn fault(&self, found: &Value, expected: &str) -> ReadError {
        let found = match found {
            Value::Object(_) => "an object".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            Value::Null => "nothing".to_owned(),
            other => other.to_string(),
        };
        let expected = expected.to_owned();
        ReadError::Fault(Box::new(ReadFault {
            path: self.path.clone(),
            found,
            expected,
            ..ReadFault::default()
        }))
    }

    fn fault_in(
        &self,
        layout: &Layout,
        field: Option<(&str, &Field)>,
        found: String,
        expected: String,
    ) -> ReadError {
        ReadError::Fault(Box::new(ReadFault {
            path: field.map_or_else(|| self.path.clone(), |(key, _)| format!("{}.fields.{key}", self.path)),
            record: layout.record.clone(),
            field: field.map(|(key, _)| key.to_owned()),
            columns: field.map(|(_, field)| (field.cell.first_column(), field.cell.last_column())),
            found,
            expected,
        }))
    }
}

/// A field by its key in JSON.
fn field<'g>(layout: &'g Layout, key: &str) -> Option<&'g Field> {
    let Some(column) = key.strip_prefix("filler_").and_then(|column| column.parse::<usize>().ok()) else {
        return layout.field(key).filter(|field| !field.is_filler());
    };
    layout.fields.iter().find(|field| field.is_filler() && field.cell.first_column() == column)
}

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.fold(String::from("one of"), |text, word| text + " " + if word.is_empty() { "\"\"" } else { word })
}

/// The document around the batches, which is never in memory as a whole.
struct Document<'r, 'g, 's>(&'r mut Reader<'g, 's>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with a list of batches")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key != "batches" {
                return Err(A::Error::unknown_field(&key, &["batches"]));
            }
            map.next_value_seed(Batches(&mut *self.0))?;
        }
        Ok(())
    }
}

struct Batches<'r, 'g, 's>(&'r mut Reader<'g, 's>);

impl<'de> DeserializeSeed<'de> for Batches<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Batches<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of batches")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(batch) = list.next_element::<Value>()? {
            self.0.path = format!("batches[{index}]");
            if let Err(failure) = self.0.batch(&batch) {
                self.0.failure = Some(failure);
                return Err(A::Error::custom("a batch could not be read"));
            }
            index += 1;
        }
        Ok(())
    }
}
