//! Lists in rules: those of the grammar become tables, those of a host are asked when a rule is judged.

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{self, At, Comparison, TableKey};
use super::compile::{Compiled, Compiler, Hint, Scope, hint, sorted};
use super::expression::{Expression, Kind, Lookup, Texts};
use super::reference::{self, Miss};
use crate::grammar::CodeList;

/// What stands in a table for each of its rows where only their keys count.
const THERE: &str = "1";

impl<'g> Compiler<'g> {
    /// `VALUE in @list`.
    pub(super) fn on_list(&self, value: Expression, list: &At<String>) -> Expression {
        if let Some(codes) = self.grammar.list(&list.node) {
            let codes = codes.codes().map(str::to_owned).collect::<Vec<_>>();
            return Expression::OneOf(Box::new(value), Texts::new(sorted(&codes)));
        }
        self.tell(list, None, reference::check_single(self.grammar, &list.node));
        Expression::OnReference(self.held(&list.node, value))
    }

    /// `known @list[…]`.
    pub(super) fn known(
        &self,
        list: &At<String>,
        keys: &[TableKey],
        scopes: (Scope<'g>, Scope<'g>),
    ) -> Compiled<Expression> {
        if let Some(table) = self.own_table(list, keys, None, scopes)? {
            let nothing = Box::new(Expression::Text("".into()));
            return Ok(Expression::Compare(Kind::Text, Comparison::Unequal, Box::new(table), nothing));
        }
        Ok(Expression::OnReference(self.held(&list.node, self.key(keys, scopes)?)))
    }

    /// `absent @list[…]` and `absent @list[…].column`.
    pub(super) fn absent(
        &self,
        list: &At<String>,
        keys: &[TableKey],
        column: Option<&At<String>>,
        scopes: (Scope<'g>, Scope<'g>),
    ) -> Compiled<Expression> {
        if let Some(table) = self.own_table(list, keys, column, scopes)? {
            let nothing = Box::new(Expression::Text("".into()));
            return Ok(Expression::Compare(Kind::Text, Comparison::Equal, Box::new(table), nothing));
        }
        let held = self.held(&list.node, self.key(keys, scopes)?);
        Ok(match column {
            Some(column) => {
                Expression::Absent(held, reference::column(self.grammar, &list.node, &column.node))
            }
            None => Expression::Not(Box::new(Expression::OnReference(held))),
        })
    }

    /// `@list[…].column`.
    pub(super) fn lookup(
        &self,
        list: &At<String>,
        keys: &[TableKey],
        column: &At<String>,
        scopes: (Scope<'g>, Scope<'g>),
    ) -> Compiled<Expression> {
        if let Some(table) = self.own_table(list, keys, Some(column), scopes)? {
            return Ok(table);
        }
        let name = reference::column(self.grammar, &list.node, &column.node);
        Ok(Expression::Reference(self.held(&list.node, self.key(keys, scopes)?), name))
    }

    /// The grammar's own list as a table; none where a host is to be asked. A list, key or column that there
    /// is not is told.
    fn own_table(
        &self,
        list: &At<String>,
        keys: &[TableKey],
        column: Option<&At<String>>,
        scopes: (Scope<'g>, Scope<'g>),
    ) -> Compiled<Option<Expression>> {
        let asked = reference::check(self.grammar, &list.node, keys, column);
        match (asked, self.grammar.list(&list.node)) {
            (Ok(true), _) => Ok(None),
            (Ok(false), Some(table)) => self.table(list, table, keys, column, scopes).map(Some),
            (wrong, _) => {
                self.tell(list, column, wrong.map(drop));
                Ok(Some(Expression::Text("".into())))
            }
        }
    }

    fn table(
        &self,
        list: &At<String>,
        table: &CodeList,
        keys: &[TableKey],
        column: Option<&At<String>>,
        (this, at): (Scope<'g>, Scope<'g>),
    ) -> Compiled<Expression> {
        let (constants, variables) =
            keys.iter().partition::<Vec<_>, _>(|key| matches!(key.value.node, ast::Expression::Text(_)));
        let mut values = Vec::new();
        for key in &variables {
            values.push(self.expression(&key.value, this, at)?);
        }
        let mut rows = HashMap::default();
        for row in table.rows() {
            let cell = |name: &str| table.cell(row, name).unwrap_or_default();
            let fits =
                |key: &&TableKey| key.value.node == ast::Expression::Text(cell(&key.column.node).to_owned());
            if constants.iter().all(fits) {
                let cells = variables.iter().map(|key| cell(&key.column.node)).collect::<Vec<_>>();
                let value = column.map_or(THERE, |column| cell(&column.node));
                for one in combinations(&cells) {
                    rows.entry(one.into()).or_insert_with(|| value.into());
                }
            }
        }
        if rows.is_empty() || values.is_empty() {
            let message = format!("{} has no such rows, or no key varies", list.node);
            return Err(self.wrong(list.offset, message));
        }
        Ok(Expression::Table(Arc::new(rows), values.into()))
    }

    /// Keeps what is wrong with a name of a list, a key or a column.
    fn tell(&self, list: &At<String>, column: Option<&At<String>>, found: Result<(), Miss>) {
        let Err(miss) = found else { return };
        let (offset, message) = match miss {
            Miss::List(message) => (list.offset, message),
            Miss::Key(offset, message) => (offset.unwrap_or(list.offset), message),
            Miss::Column(message) => (column.map_or(list.offset, |column| column.offset), message),
        };
        self.misses.borrow_mut().push(self.wrong(offset, message));
    }

    /// The key of a host's list.
    fn key(&self, keys: &[TableKey], (this, at): (Scope<'g>, Scope<'g>)) -> Compiled<Expression> {
        let mut parts = Vec::new();
        for key in keys {
            let part = self.expression(&key.value, this, at)?;
            let kind = if hint(&part) == Hint::Of(Kind::Date) { Kind::Date } else { Kind::Text };
            parts.push((kind, part));
        }
        match parts.pop() {
            Some((_, only)) if parts.is_empty() => Ok(only),
            last => {
                parts.extend(last);
                Ok(Expression::Joined(parts.into()))
            }
        }
    }

    fn held(&self, list: &str, key: Expression) -> Lookup {
        let slot = self.questions.row(list, &key);
        Lookup { list: reference::named(self.grammar, list), key: Box::new(key), slot }
    }
}

/// The keys of a row whose cells may each hold several codes, separated by commas.
fn combinations(cells: &[&str]) -> Vec<String> {
    let Some((last, before)) = cells.split_last() else { return Vec::new() };
    if before.is_empty() {
        return last.split(',').map(str::to_owned).collect();
    }
    let heads = combinations(before);
    heads.iter().flat_map(|head| last.split(',').map(move |code| format!("{head}/{code}"))).collect()
}
