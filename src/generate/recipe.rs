//! What fields hold beyond their class and values, as the table `generated_values` says it: numbers that
//! run, keys that repeat, totals, days not too far away.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::GenerateError;
use crate::grammar::{Cell, Grammar, Layout, LayoutId};

/// The table of `grammars/codes/`.
const TABLE: &str = "generated_values";

/// Where the content of a field comes from.
#[derive(Clone, Debug)]
pub(super) enum Recipe {
    /// One of these.
    Any(Vec<String>),
    /// A code of a list, the world's or the grammar's.
    List(String),
    /// A text of one of these forms: `A` a letter, `N` a digit, `X` either.
    Like(Vec<String>),
    /// A day so many days from today.
    Days(i64, i64),
    /// A number in this range, in units of the last digit.
    Number(i64, i64),
    /// How many records of the kind stand before it, and one.
    Occurrence,
    /// A number that no other transaction of the run has.
    Running,
    /// The same with the check digit that the filer in another field asks for.
    EntryNumber(Cell),
    /// What the first such record holds in a field.
    Same(Source),
    /// The sum of a field over all such records.
    Sum(Source),
    /// How many such records there are.
    Count(String),
    /// The filer of the block.
    Filer,
    /// The port of the block.
    Port,
}

impl Recipe {
    fn follows(&self) -> bool {
        matches!(self, Self::Occurrence | Self::Count(_) | Self::Same(_) | Self::Sum(_))
    }
}

/// A field of a record by its names.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) record: String,
    pub(super) field: String,
}

/// Whether a field stands, where its designation leaves that open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Given {
    Always,
    Never,
}

/// The recipes of one application's fields.
#[derive(Debug, Default)]
pub(super) struct Recipes {
    contents: HashMap<(LayoutId, usize), Recipe, RandomState>,
    /// The fields of a layout whose content follows from the rest of the transaction.
    following: HashMap<LayoutId, Vec<usize>, RandomState>,
    given: HashMap<(LayoutId, usize), Given, RandomState>,
    records: HashMap<String, Given, RandomState>,
}

impl Recipes {
    /// The recipes for these layouts. The first row that fits a field is its recipe.
    pub(super) fn new(
        grammar: &Grammar,
        application: &str,
        layouts: &[&Layout],
    ) -> Result<Self, GenerateError> {
        let mut recipes = Self::default();
        let Some(table) = grammar.list(TABLE) else { return Ok(recipes) };
        for row in table.rows() {
            let cell = |name: &str| table.cell(row, name).unwrap_or_default();
            let (of, record, field) = (cell("application"), cell("record"), cell("field"));
            let given = match cell("given") {
                "" => None,
                "always" => Some(Given::Always),
                "never" => Some(Given::Never),
                other => return Err(GenerateError::Recipe { content: other.to_owned() }),
            };
            for layout in layouts {
                let fits = of == "*" || of == application || of == layout.application;
                if !fits || record != "*" && record != layout.record {
                    continue;
                }
                if let Some(given) = given.filter(|_| field.is_empty()) {
                    recipes.records.entry(layout.record.clone()).or_insert(given);
                }
                let Some(index) = layout.fields.iter().position(|known| known.name == field) else {
                    continue;
                };
                if let Some(given) = given {
                    recipes.given.entry((layout.id, index)).or_insert(given);
                }
                if let Some(recipe) = compile(layout, cell("content"), cell("argument"))? {
                    recipes.contents.entry((layout.id, index)).or_insert(recipe);
                }
            }
        }
        for ((layout, index), recipe) in &recipes.contents {
            if recipe.follows() {
                recipes.following.entry(*layout).or_default().push(*index);
            }
        }
        recipes.following.values_mut().for_each(|fields| fields.sort_unstable());
        Ok(recipes)
    }

    pub(super) fn get(&self, layout: &Layout, field: usize) -> Option<&Recipe> {
        self.contents.get(&(layout.id, field))
    }

    /// The fields of a layout whose content follows from the rest of the transaction, in order.
    pub(super) fn following(&self, layout: &Layout) -> impl Iterator<Item = (usize, &Recipe)> {
        let fields = self.following.get(&layout.id).into_iter().flatten();
        fields.filter_map(|index| Some((*index, self.get(layout, *index)?)))
    }

    /// Whether a record stands.
    pub(super) fn record_given(&self, record: &str) -> Option<Given> {
        self.records.get(record).copied()
    }

    /// Whether a field stands.
    pub(super) fn given(&self, layout: &Layout, field: usize) -> Option<Given> {
        self.given.get(&(layout.id, field)).copied()
    }
}

/// None where a row says nothing of the content, or is for several records and does not fit this one.
fn compile(layout: &Layout, content: &str, argument: &str) -> Result<Option<Recipe>, GenerateError> {
    let wrong = || GenerateError::Recipe { content: format!("{content} {argument}") };
    let words = || argument.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let range = || {
        let (first, last) = argument.split_once(' ').ok_or_else(wrong)?;
        Ok::<_, GenerateError>((first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?))
    };
    let source = || {
        let (record, field) = argument.split_once('.').ok_or_else(wrong)?;
        Ok::<_, GenerateError>(Source { record: record.to_owned(), field: field.to_owned() })
    };
    Ok(Some(match content {
        "" => return Ok(None),
        "any" => Recipe::Any(words()),
        "list" => Recipe::List(argument.to_owned()),
        "like" => Recipe::Like(words()),
        "days" => range().map(|(first, last)| Recipe::Days(first, last))?,
        "number" => range().map(|(first, last)| Recipe::Number(first, last))?,
        "occurrence" => Recipe::Occurrence,
        "running" => Recipe::Running,
        "entry_number" => {
            let filer = argument.split(' ').find_map(|name| layout.cell(name).ok());
            return Ok(filer.map(Recipe::EntryNumber));
        }
        "same" => Recipe::Same(source()?),
        "sum" => Recipe::Sum(source()?),
        "count" => Recipe::Count(argument.to_owned()),
        "filer" => Recipe::Filer,
        "port" => Recipe::Port,
        _ => return Err(wrong()),
    }))
}
