//! JSON Schema of the JSON of records.
//!
//! It says what is written of an application's batches: which records there are, which fields each
//! has, and the shape of values. It says nothing about what a message is right by (which codes are
//! valid, what must be there): records with faults are written without loss, too.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::value::{RAW, RAW_HEX, is_amount};
use crate::grammar::{ClassSet, Direction, Field, Grammar, GroupMember, Layout, Member, Values};
use crate::message::lexicon::{Lexicon, Lexicons};
use crate::wire::RECORD_LENGTH;

/// The control records, headers first.
const CONTROLS: [&str; 4] = ["A", "B", "Y", "Z"];

/// The definitions of a schema, by name.
pub type Definitions = Map<String, Value>;

/// What stands in the place of a block's transactions.
#[derive(Clone, Debug)]
pub struct Content {
    /// The key of their list in a block.
    pub list: &'static str,
    /// The schema of one of them.
    pub item: Value,
    /// The keys that tell of one in a line of its own.
    pub in_line: Map<String, Value>,
}

/// The schema of the records of an application's batches, as one document and as lines.
#[must_use]
pub fn records_schema(grammar: &Grammar, application: &str, direction: Direction) -> Value {
    let mut writer = Writer::new(grammar, application, direction, Definitions::new());
    let mut roots = Vec::new();
    for (structure, _) in grammar.structures() {
        if structure.application == application && structure.direction == direction {
            roots.push(writer.group(&structure.root));
        }
    }
    let members = roots.iter().map(|root| json!({"$ref": format!("{root}/properties/members")}));
    let members = members.collect::<Vec<_>>();
    let records = writer.detail_records();
    let mut in_line = Map::new();
    if !roots.is_empty() {
        in_line.insert("group".to_owned(), json!({"type": "string"}));
        in_line.insert("members".to_owned(), json!({"anyOf": members}));
    }
    in_line.insert("unstructured".to_owned(), to(&records));
    in_line.insert("fault".to_owned(), json!({"type": "string"}));
    roots.push(writer.define("unstructured", |_| {
        let properties = json!({"unstructured": to(&records), "fault": {"type": "string"}});
        object(properties, &["unstructured"])
    }));
    let content = Content { list: "transactions", item: any_of(&roots), in_line };
    let name = grammar.application(application).map_or("", |known| &known.name);
    writer.document(&format!("{application} {name}: records"), &content)
}

/// The schema of batches, their blocks and control records around what stands in a block, as one
/// document and as lines. Its definitions join those given.
#[must_use]
pub fn document_schema(
    grammar: &Grammar,
    (application, direction): (&str, Direction),
    title: &str,
    content: &Content,
    definitions: Definitions,
) -> Value {
    Writer::new(grammar, application, direction, definitions).document(title, content)
}

/// A reference to a definition.
fn to(pointer: &str) -> Value {
    json!({"$ref": pointer})
}

fn any_of(pointers: &[String]) -> Value {
    match pointers {
        [only] => to(only),
        several => json!({"anyOf": several.iter().map(|pointer| to(pointer)).collect::<Vec<_>>()}),
    }
}

fn list_of(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn object(properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema["additionalProperties"] = json!(false);
    schema
}

/// Collects the definitions of one application's schema.
struct Writer<'g> {
    application: String,
    direction: Direction,
    lexicon: Rc<Lexicon<'g>>,
    definitions: Definitions,
}

impl<'g> Writer<'g> {
    fn new(grammar: &'g Grammar, application: &str, direction: Direction, definitions: Definitions) -> Self {
        let lexicon = Lexicons::new(grammar).get(application, direction);
        Self { application: application.to_owned(), direction, lexicon, definitions }
    }

    /// Makes a definition unless it has been made; gives the pointer to it.
    fn define(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> String {
        if !self.definitions.contains_key(name) {
            let schema = make(self);
            self.definitions.insert(name.to_owned(), schema);
        }
        format!("#/$defs/{name}")
    }

    /// Defines a group and those below it; groups of the same name that differ have a number.
    fn group(&mut self, group: &GroupMember) -> String {
        let mut members = Vec::new();
        for member in &group.members {
            match member {
                Member::Group(inner) => members.push(self.group(inner)),
                Member::Record(record) => members.extend(self.variants(&record.record)),
            }
        }
        members.sort();
        members.dedup();
        let properties = json!({"group": {"const": group.name}, "members": list_of(&any_of(&members))});
        let schema = object(properties, &["group", "members"]);
        let names = (1..).map(|number| match number {
            1 => format!("group_{}", group.name),
            number => format!("group_{}_{number}", group.name),
        });
        let is_free = |name: &String| self.definitions.get(name).is_none_or(|known| *known == schema);
        let name = names.into_iter().find(is_free).unwrap_or_default();
        self.define(&name, |_| schema)
    }

    /// A list of any records of the application, or of none.
    fn detail_records(&mut self) -> String {
        let lexicon = Rc::clone(&self.lexicon);
        let details = lexicon.records().filter(|record| !CONTROLS.contains(record));
        let mut records = details.flat_map(|record| self.variants(record)).collect::<Vec<_>>();
        records.push(self.as_it_stands());
        self.define("records", |_| list_of(&any_of(&records)))
    }

    /// The layouts of a record.
    fn variants(&mut self, record: &str) -> Vec<String> {
        let lexicon = Rc::clone(&self.lexicon);
        let layouts = lexicon.variants(record).iter();
        layouts.map(|layout| self.record(layout)).collect()
    }

    fn record(&mut self, layout: &Layout) -> String {
        let name = match layout.variant.as_str() {
            "" => format!("record_{}", layout.record),
            variant => format!("record_{}_{variant}", layout.record),
        };
        self.define(&name, |writer| {
            let fields = layout.fields.iter().map(|field| match field.is_filler() {
                true => (format!("filler_{}", field.cell.first_column()), writer.filler(field)),
                false => (field.name.clone(), writer.value(field)),
            });
            let fields = fields.collect::<Map<_, _>>();
            let mut properties = json!({"record": {"const": layout.record}, "name": {"const": layout.name}});
            let mut required = vec!["record"];
            if !layout.variant.is_empty() {
                properties["variant"] = json!({"const": layout.variant});
                required.push("variant");
            }
            properties["fields"] = object(fields.into(), &[]);
            object(properties, &required)
        })
    }

    fn filler(&mut self, field: &Field) -> Value {
        let shape = self.shape("filler", || json!({"type": "string"}));
        json!({"$ref": shape, "maxLength": field.cell.width()})
    }

    /// A field's value: its shape, its length, and what there is to know of it.
    fn value(&mut self, field: &Field) -> Value {
        let (cell, class) = (field.cell, field.cell.class());
        let mut schema = if field.holds_date() {
            let pattern = "^(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?$";
            to(&self.shape("date", || json!({"type": "string", "pattern": pattern})))
        } else if is_amount(field) {
            let pattern = match cell.decimals() {
                0 => "^(?:-?[0-9]+)?$".to_owned(),
                decimals => format!("^(?:-?[0-9]+(?:\\.[0-9]{{1,{decimals}}})?)?$"),
            };
            let name = format!("amount_{}", cell.decimals());
            to(&self.shape(&name, || json!({"type": ["string", "number"], "pattern": pattern})))
        } else {
            let name = class.to_string().replace('/', "_or_");
            let shape = self.shape(&name, || json!({"type": "string", "pattern": pattern_of(class)}));
            json!({"$ref": shape, "maxLength": cell.width()})
        };
        schema["title"] = field.element.clone().into();
        let known = known_of(field);
        if !known.is_empty() {
            schema["description"] = known.into();
        }
        match &field.values {
            Values::Constant(text) => schema["examples"] = json!([text]),
            Values::OneOf(texts) => schema["examples"] = json!(texts),
            Values::Any | Values::List(_) => {}
        }
        schema
    }

    /// Defines the shape of a value that may as well stand as it is, or be masked.
    fn shape(&mut self, name: &str, make: impl FnOnce() -> Value) -> String {
        self.define(name, |writer| {
            let as_it_stands = to(&writer.as_it_stands());
            json!({"anyOf": [make(), {"type": "null"}, as_it_stands]})
        })
    }

    /// Characters or bytes of a value or record that its layout does not hold.
    fn as_it_stands(&mut self) -> String {
        let one_of = |key: &str, value: Value| object(json!({key: value}), &[key]);
        self.define("as_it_stands", |_| {
            json!({"anyOf": [
                one_of(RAW, json!({"type": "string", "maxLength": RECORD_LENGTH})),
                one_of(RAW_HEX, json!({"type": "string", "pattern": "^(?:[0-9a-f]{2})*$"})),
            ]})
        })
    }

    /// A control record of any family.
    fn control(&mut self, record: &str) -> Value {
        let mut layouts = self.variants(record);
        layouts.push(self.as_it_stands());
        to(&self.define(&format!("control_{record}"), |_| any_of(&layouts)))
    }

    fn document(mut self, title: &str, content: &Content) -> Value {
        let [header, block_header, block_trailer, trailer] = CONTROLS.map(|record| self.control(record));
        let (application, direction) =
            (json!({"const": self.application}), json!({"const": self.direction.name()}));
        let block = self.define("block", |_| {
            let contents = list_of(&content.item);
            object(json!({"header": block_header, content.list: contents, "trailer": block_trailer}), &[])
        });
        let batch = self.define("batch", |_| {
            let properties = json!({
                "application": application,
                "direction": direction,
                "header": header,
                "blocks": list_of(&to(&block)),
                "trailer": trailer,
            });
            object(properties, &[])
        });
        let document =
            self.define("document", |_| object(json!({"batches": list_of(&to(&batch))}), &["batches"]));
        let line = self.define("line", |_| {
            let count = json!({"type": "integer", "minimum": 0});
            let mut properties = json!({
                "batch": count,
                "block": count,
                "transaction": count,
                "application": application,
                "direction": direction,
                "before": list_of(&json!({"anyOf": [header, block_header]})),
                "after": list_of(&json!({"anyOf": [block_trailer, trailer]})),
            });
            if let Some(keys) = properties.as_object_mut() {
                keys.extend(content.in_line.clone());
            }
            object(properties, &["batch", "block", "transaction", "application", "direction"])
        });
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": title,
            "anyOf": [to(&document), to(&line)],
            "$defs": self.definitions,
        })
    }
}

/// What the grammar notes of a field, and the list of its codes.
fn known_of(field: &Field) -> String {
    let lists = std::iter::once(&field.values).chain(&field.also).filter_map(|values| match values {
        Values::List(name) => Some(format!("codes: {name}")),
        Values::Any | Values::Constant(_) | Values::OneOf(_) => None,
    });
    let notes = std::iter::once(field.note.clone()).filter(|note| !note.is_empty());
    notes.chain(lists).collect::<Vec<_>>().join("; ")
}

/// Texts of the characters that a class admits.
fn pattern_of(class: ClassSet) -> String {
    let mut runs = Vec::<(u8, u8)>::new();
    for byte in (b' '..=b'~').filter(|&byte| class.admits(byte)) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == byte => *last = byte,
            _ => runs.push((byte, byte)),
        }
    }
    let written = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' => char::from(byte).to_string(),
        other => format!("\\x{other:02x}"),
    };
    let runs = runs.into_iter().map(|(first, last)| match first == last {
        true => written(first),
        false => format!("{}-{}", written(first), written(last)),
    });
    format!("^[{}]*$", runs.collect::<String>())
}

/// A schema as its file has it: a definition a line.
#[must_use]
pub fn schema_text(schema: &Value) -> String {
    let entries = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let line = |(key, value): (String, Value)| format!("{}: {value}", Value::String(key));
    let mut lines = Vec::new();
    for (key, value) in entries(schema) {
        if key == "$defs" {
            let definitions = entries(&value).into_iter().map(line).collect::<Vec<_>>();
            lines.push(format!("\"$defs\": {{\n{}\n}}", definitions.join(",\n")));
        } else {
            lines.push(line((key, value)));
        }
    }
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}
