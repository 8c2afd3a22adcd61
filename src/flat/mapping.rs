//! The mapping compiled: which rows begin what, and which fields become which values of the model.

use serde_json::Value;

use super::known::Known;
use super::layout::{Refusal, Row, constant};
use super::parse::{Code, LevelStatement, MemberKind, MemberStatement, SourceStatement};
use super::path::Path;
use crate::grammar::Grammar;

/// The levels that every mapping has, outermost first.
pub(super) const BATCH: usize = 0;
pub(super) const BLOCK: usize = 1;
pub(super) const SUMMARY: usize = 2;
const OUTER: [&str; 3] = ["batch", "block", "summary"];

/// A batch, a block, a summary, or the elements of a list within one.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) name: String,
    /// The key of the list; empty for the outer levels.
    pub(super) list: String,
    pub(super) parent: Option<usize>,
    /// The row that begins one.
    pub(super) row: Option<usize>,
    /// The fields that tell one from the next, where rows go on.
    pub(super) keys: Vec<usize>,
    pub(super) body: Body,
    /// What comes behind that row, in order.
    pub(super) members: Vec<Member>,
}

/// What follows the row that begins a level.
#[derive(Clone, Debug)]
pub(super) enum Member {
    /// A row of the same element.
    With { row: usize, body: Body },
    /// A level within.
    Level(usize),
}

/// What the fields of a row become.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    pub(super) entries: Vec<Entry>,
    /// The field that holds what no other does, as JSON.
    pub(super) rest: Option<usize>,
    /// The field that numbers the elements.
    pub(super) number: Option<usize>,
    pub(super) totals: Vec<Total>,
}

/// One value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) path: Path,
    pub(super) source: Source,
    pub(super) integer: bool,
    pub(super) codes: Vec<(String, Code)>,
}

/// Where it comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Field(usize),
    Constant(Value),
}

/// A field that counts rows or adds up their amounts, since the batch began.
#[derive(Clone, Debug)]
pub(super) struct Total {
    pub(super) field: usize,
    /// The kind of row; all if there is none.
    pub(super) row: Option<usize>,
    /// The field whose amounts are added up.
    pub(super) of: Option<usize>,
}

struct Compiler<'a> {
    rows: &'a [Row],
    known: Known<'a>,
    levels: Vec<Level>,
    /// For each row, the fields that the mapping speaks of.
    used: Vec<Vec<bool>>,
    /// The rows that stand with others.
    with: Vec<usize>,
}

/// Compiles a mapping.
pub(super) fn levels(
    statements: &[LevelStatement],
    rows: &[Row],
    grammar: &Grammar,
) -> Result<Vec<Level>, Refusal> {
    let used = rows.iter().map(|row| vec![false; row.fields.len()]).collect();
    let mut compiler =
        Compiler { rows, known: Known::new(grammar), levels: Vec::new(), used, with: Vec::new() };
    for (index, name) in OUTER.iter().enumerate() {
        let statement = statements.get(index).filter(|statement| statement.name == *name);
        let statement =
            statement.ok_or((None, "a mapping has batch, block and summary, in this order".to_owned()))?;
        compiler.level(statement, index.checked_sub(1), String::new())?;
        if index > BATCH {
            compiler.levels[index - 1].members.push(Member::Level(index));
        }
    }
    if let Some(more) = statements.get(OUTER.len()) {
        return Err((Some(more.rest), format!("{} stands twice", more.name)));
    }
    if compiler.levels[SUMMARY].row.is_none() {
        return Err((
            Some(statements[SUMMARY].rest),
            "a summary begins with a row: expected from".to_owned(),
        ));
    }
    compiler.check_rows()?;
    compiler.check_fields()?;
    Ok(compiler.levels)
}

impl Compiler<'_> {
    fn level(
        &mut self,
        statement: &LevelStatement,
        parent: Option<usize>,
        list: String,
    ) -> Result<usize, Refusal> {
        let at = |message: String| (Some(statement.rest), message);
        let row = statement.row.as_deref().map(|name| self.row(name)).transpose().map_err(at)?;
        let keys = statement.keys.iter().map(|name| match row {
            Some(row) => self.field(row, name),
            None => Err("by is for a level from a row".to_owned()),
        });
        let keys = keys.collect::<Result<Vec<_>, _>>().map_err(at)?;
        let index = self.levels.len();
        self.levels.push(Level {
            name: statement.name.clone(),
            list,
            parent,
            row,
            keys,
            body: Body::default(),
            members: Vec::new(),
        });
        let mut body = Body::default();
        for member in &statement.members {
            let at = |message: String| (Some(member.rest), message);
            match &member.kind {
                MemberKind::Each(inner) => {
                    let path = Path::new(&inner.name);
                    let list = path.as_ref().and_then(Path::only_key);
                    let list = list
                        .ok_or_else(|| at(format!("{} is not the key of a list", inner.name)))?
                        .to_owned();
                    if index < SUMMARY || inner.row.is_none() {
                        return Err(at("each is for lists of a summary, and from a row".to_owned()));
                    }
                    let lists = [self.lists(index), vec![list.clone()]].concat();
                    self.known.check_lists(&lists).map_err(at)?;
                    let inner = self.level(inner, Some(index), list)?;
                    self.levels[index].members.push(Member::Level(inner));
                }
                MemberKind::With { row, members } => {
                    let row = self.row(row).map_err(at)?;
                    if self.with.contains(&row) {
                        return Err(at(format!("row {} stands twice", self.rows[row].name)));
                    }
                    self.with.push(row);
                    let mut body = Body::default();
                    members.iter().try_for_each(|member| self.plain(member, index, Some(row), &mut body))?;
                    if body.rest.is_some()
                        || body.number.is_some()
                        || index < SUMMARY && !body.entries.is_empty()
                    {
                        let message = "neither rest nor number stands in with, and no values do behind a batch or block";
                        return Err(at(message.to_owned()));
                    }
                    self.levels[index].members.push(Member::With { row, body });
                }
                _ => self.plain(member, index, row, &mut body)?,
            }
        }
        if !body.totals.is_empty() {
            return Err(at("totals come behind what they count: expected them in with".to_owned()));
        }
        self.levels[index].body = body;
        Ok(index)
    }

    /// What belongs to one row.
    fn plain(
        &mut self,
        member: &MemberStatement,
        level: usize,
        row: Option<usize>,
        body: &mut Body,
    ) -> Result<(), Refusal> {
        let at = |message: String| (Some(member.rest), message);
        let of_row = || row.ok_or_else(|| at("there is no row that could have fields".to_owned()));
        match &member.kind {
            MemberKind::Entry { path, source, integer, codes } => {
                let path = Path::new(path).ok_or_else(|| at(format!("{path} is no path of the model")))?;
                let source = match source {
                    SourceStatement::Constant(code) => Source::Constant(constant(code)),
                    SourceStatement::Field(name) => Source::Field(self.field(of_row()?, name).map_err(at)?),
                };
                let entry = Entry { path, source, integer: *integer, codes: codes.clone() };
                self.known.check(level, &self.lists(level), &entry).map_err(at)?;
                body.entries.push(entry);
            }
            MemberKind::Ignore(names) => {
                let row = of_row()?;
                names.iter().try_for_each(|name| self.field(row, name).map(drop)).map_err(at)?;
            }
            MemberKind::Rest(name) => {
                let field = self.field(of_row()?, name).map_err(at)?;
                body.rest = Some(field);
            }
            MemberKind::Number(name) => {
                let field = self.field(of_row()?, name).map_err(at)?;
                body.number = Some(field);
            }
            MemberKind::Count { field, row: counted } => {
                let field = self.field(of_row()?, field).map_err(at)?;
                let row = if counted == "*" { None } else { Some(self.row(counted).map_err(at)?) };
                body.totals.push(Total { field, row, of: None });
            }
            MemberKind::Sum { field, of } => {
                let field = self.field(of_row()?, field).map_err(at)?;
                let (row, added) = of.split_once('.').ok_or_else(|| at(format!("{of} is no ROW.FIELD")))?;
                let row = self.row(row).map_err(at)?;
                let added = self.field(row, added).map_err(at)?;
                if !self.rows[row].fields[added].is_amount() {
                    return Err(at(format!("{of} is no amount")));
                }
                body.totals.push(Total { field, row: Some(row), of: Some(added) });
            }
            MemberKind::Each(_) | MemberKind::With { .. } => {
                return Err(at("neither each nor with stands within with".to_owned()));
            }
        }
        Ok(())
    }

    /// The lists that the elements of a level stand in, outermost first.
    fn lists(&self, level: usize) -> Vec<String> {
        let above = |level: &usize| self.levels[*level].parent;
        let levels = std::iter::successors(Some(level), above).filter(|level| *level > SUMMARY);
        let mut lists: Vec<String> = levels.map(|level| self.levels[level].list.clone()).collect();
        lists.reverse();
        lists
    }

    fn row(&self, name: &str) -> Result<usize, String> {
        let found = self.rows.iter().position(|row| row.name == name);
        found.ok_or_else(|| format!("there is no row {name}"))
    }

    fn field(&mut self, row: usize, name: &str) -> Result<usize, String> {
        let found = self.rows[row].field(name);
        let field = found.ok_or_else(|| format!("row {} has no field {name}", self.rows[row].name))?;
        self.used[row][field] = true;
        Ok(field)
    }

    /// A row that begins several levels begins one within the other, without others between.
    fn check_rows(&self) -> Result<(), Refusal> {
        for (index, row) in self.rows.iter().enumerate() {
            let begun: Vec<usize> = self.levels_of(index).collect();
            for pair in begun.windows(2) {
                let mut between = self.levels[pair[1]].parent;
                while between.is_some_and(|level| level > pair[0] && self.levels[level].row.is_none()) {
                    between = between.and_then(|level| self.levels[level].parent);
                }
                if between != Some(pair[0]) {
                    let names =
                        begun.iter().map(|level| self.levels[*level].name.as_str()).collect::<Vec<_>>();
                    return Err((None, format!("row {} cannot begin {}", row.name, names.join(" and "))));
                }
            }
            let with = self.with.contains(&index);
            if with && !begun.is_empty() {
                return Err((
                    None,
                    format!("row {} both begins a level and stands with another row", row.name),
                ));
            }
            if !with && begun.is_empty() {
                return Err((None, format!("the mapping does not speak of row {}", row.name)));
            }
        }
        Ok(())
    }

    fn levels_of(&self, row: usize) -> impl Iterator<Item = usize> {
        (0..self.levels.len()).filter(move |level| self.levels[*level].row == Some(row))
    }

    fn check_fields(&self) -> Result<(), Refusal> {
        for (row, used) in self.rows.iter().zip(&self.used) {
            for (field, used) in row.fields.iter().zip(used) {
                if !used && !field.is_filler() && field.constant().is_none() {
                    let message = format!("the mapping does not speak of {} in row {}", field.name, row.name);
                    return Err((None, message + "; ignore it if it may be lost"));
                }
            }
        }
        Ok(())
    }
}
