//! Tests and values.

use super::{Parsed, Parser, RESERVED, is_number, record_name};
use crate::rules::ast::{
    Arithmetic, At, CalendarUnit, Comparison, Expression, FieldName, Holder, Reach, RecordName, Scan,
    TableKey,
};
use crate::rules::lex::Token;

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Parsed<At<Expression>> {
        self.joined("or", Expression::Or, |parser| parser.joined("and", Expression::And, Self::negation))
    }

    pub(super) fn joined(
        &mut self,
        word: &str,
        join: fn(Vec<At<Expression>>) -> Expression,
        mut part: impl FnMut(&mut Self) -> Parsed<At<Expression>>,
    ) -> Parsed<At<Expression>> {
        let first = part(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let offset = first.offset;
        let mut parts = vec![first];
        while self.accept_word(word) {
            parts.push(part(self)?);
        }
        Ok(At { offset, node: join(parts) })
    }

    pub(super) fn negation(&mut self) -> Parsed<At<Expression>> {
        let offset = self.offset();
        if self.accept_word("not") {
            let inner = self.negation()?;
            return Ok(At { offset, node: Expression::Not(Box::new(inner)) });
        }
        self.comparison()
    }

    pub(super) fn comparison(&mut self) -> Parsed<At<Expression>> {
        let left = self.terms()?;
        let offset = left.offset;
        let negated = self.is_word("not");
        if negated {
            self.next += 1;
        }
        let node = if self.accept_word("in") {
            let place = self.offset();
            match self.take("`{` or a list")? {
                Token::List(name) => {
                    Expression::OnList(Box::new(left), At { offset: place, node: name.to_owned() })
                }
                Token::Sign("{") => Expression::OneOf(Box::new(left), self.texts()?),
                _ => return Err(self.wrong_before("`{` or a list")),
            }
        } else if self.accept_word("like") {
            match self.take("`{` or a text")? {
                Token::Text(text) => Expression::Like(Box::new(left), vec![text.to_owned()]),
                Token::Sign("{") => Expression::Like(Box::new(left), self.texts()?),
                _ => return Err(self.wrong_before("`{` or a text")),
            }
        } else if self.accept_word("has") {
            let word = self.terms()?;
            Expression::Has(Box::new(left), Box::new(word))
        } else if negated {
            return Err(self.wrong("`in`, `like` or `has`"));
        } else if let Some(operator) = self.comparison_sign() {
            let right = self.terms()?;
            Expression::Compare(operator, Box::new(left), Box::new(right))
        } else {
            return Ok(left);
        };
        let positive = At { offset, node };
        Ok(if negated { At { offset, node: Expression::Not(Box::new(positive)) } } else { positive })
    }

    pub(super) fn comparison_sign(&mut self) -> Option<Comparison> {
        let Some(Token::Sign(sign)) = self.peek() else { return None };
        let operator = match sign {
            "=" => Comparison::Equal,
            "!=" => Comparison::Unequal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        };
        self.next += 1;
        Some(operator)
    }

    pub(super) fn texts(&mut self) -> Parsed<Vec<String>> {
        let mut texts = Vec::new();
        loop {
            match self.take("a value or `}`")? {
                Token::Word(text) | Token::Text(text) => texts.push(text.to_owned()),
                Token::Sign("}") => return Ok(texts),
                _ => return Err(self.wrong_before("a value or `}`")),
            }
        }
    }

    pub(super) fn terms(&mut self) -> Parsed<At<Expression>> {
        let mut left = self.factors()?;
        loop {
            let operator = if self.accept_sign("+") {
                Arithmetic::Add
            } else if self.accept_sign("-") {
                Arithmetic::Subtract
            } else {
                return Ok(left);
            };
            let offset = left.offset;
            let right = self.factors()?;
            let node = match (self.calendar_unit(), &right.node) {
                (Some(unit), Expression::Number(number)) => {
                    let amount = number.parse::<i32>().map_err(|_| self.wrong_before("a whole number"))?;
                    let amount = if operator == Arithmetic::Subtract { -amount } else { amount };
                    Expression::Shift(Box::new(left), amount, unit)
                }
                (Some(_), _) => return Err(self.wrong_before("a number before the unit")),
                (None, _) => Expression::Arithmetic(operator, Box::new(left), Box::new(right)),
            };
            left = At { offset, node };
        }
    }

    pub(super) fn calendar_unit(&mut self) -> Option<CalendarUnit> {
        [("days", CalendarUnit::Days), ("months", CalendarUnit::Months), ("years", CalendarUnit::Years)]
            .into_iter()
            .find(|(word, _)| self.accept_word(word))
            .map(|(_, unit)| unit)
    }

    pub(super) fn factors(&mut self) -> Parsed<At<Expression>> {
        let mut left = self.operand()?;
        while self.accept_sign("*") {
            let offset = left.offset;
            let right = self.operand()?;
            left = At {
                offset,
                node: Expression::Arithmetic(Arithmetic::Multiply, Box::new(left), Box::new(right)),
            };
        }
        Ok(left)
    }

    pub(super) fn operand(&mut self) -> Parsed<At<Expression>> {
        let offset = self.offset();
        let node = match self.take("a value")? {
            Token::Text(text) => Expression::Text(text.to_owned()),
            Token::List(list) => self.lookup(At { offset, node: list.to_owned() })?,
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.expect_sign(")")?;
                return Ok(inner);
            }
            Token::Sign(_) => return Err(self.wrong_before("a value")),
            Token::Word(word) => self.worded(word)?,
        };
        Ok(At { offset, node })
    }

    pub(super) fn worded(&mut self, word: &str) -> Parsed<Expression> {
        Ok(match word {
            "today" => Expression::Today,
            "block" => {
                self.expect_sign(".")?;
                Expression::Block(self.word("what of the block")?.node.to_owned())
            }
            "owed" => self.owed()?,
            "given" if self.is_word("owed") => self.owed_is(Comparison::Unequal)?,
            "blank" if self.is_word("owed") => self.owed_is(Comparison::Equal)?,
            "given" => Expression::Given(self.field()?.node),
            "blank" => {
                let field = self.field()?;
                let given = At { offset: field.offset, node: Expression::Given(field.node) };
                Expression::Not(Box::new(given))
            }
            "any" => Expression::Any(self.scan()?),
            "count" => Expression::Count(self.scan()?),
            "sum" => {
                let (scan, value) = self.scanned_field()?;
                Expression::Sum(scan, value)
            }
            "the" => {
                let (scan, value) = self.scanned_field()?;
                Expression::The(scan, value)
            }
            "differ" => {
                let record = self.record()?;
                self.expect_sign(".")?;
                let field = self.word("a field")?.node.to_owned();
                Expression::Differ(self.scan_of(record, false)?, field)
            }
            "repeats" => {
                let mut fields = vec![self.field()?];
                while self.accept_sign(",") {
                    fields.push(self.field()?);
                }
                Expression::Repeats(fields, self.reach()?)
            }
            "known" => Expression::Known { list: self.list()?, keys: self.keys()? },
            "absent" => {
                let (list, keys) = (self.list()?, self.keys()?);
                let column =
                    if self.accept_sign(".") { Some(self.owned_word("a column's name")?) } else { None };
                Expression::Absent { list, keys, column }
            }
            "first" => {
                self.expect_sign("(")?;
                let mut values = vec![self.terms()?];
                while self.accept_sign(",") {
                    values.push(self.terms()?);
                }
                self.expect_sign(")")?;
                Expression::First(values)
            }
            name if self.named.contains_key(name) => self.named[name].clone(),
            "gap" => Expression::Gap(self.word("a field")?.node.to_owned()),
            "weekend" => Expression::Weekend(Box::new(self.operand()?)),
            "abs" => Expression::Absolute(Box::new(self.operand()?)),
            "round" => {
                self.expect_sign("(")?;
                let inner = self.expression()?;
                self.expect_sign(",")?;
                let places =
                    self.word("decimal places")?.node.parse().map_err(|_| self.wrong_before("a number"))?;
                self.expect_sign(")")?;
                Expression::Round(Box::new(inner), places)
            }
            "previous" | "next" => self.neighbour(word == "next")?,
            number if is_number(number) && !self.is_sign(".") => Expression::Number(number.to_owned()),
            _ => {
                self.next -= 1;
                let field = self.field()?.node;
                self.part_of(field)?
            }
        })
    }

    /// Whether a figure is blank, or not.
    pub(super) fn owed_is(&mut self, comparison: Comparison) -> Parsed<Expression> {
        let figure = self.operand()?;
        let blank = At { offset: figure.offset, node: Expression::Text(String::new()) };
        Ok(Expression::Compare(comparison, Box::new(figure), Box::new(blank)))
    }

    pub(super) fn owed(&mut self) -> Parsed<Expression> {
        self.expect_sign(".")?;
        let figure = self.word("what is owed")?.node.to_owned();
        if !self.accept_sign("(") {
            return Ok(Expression::Owed(figure, None));
        }
        let class = self.terms()?;
        self.expect_sign(")")?;
        Ok(Expression::Owed(figure, Some(Box::new(class))))
    }

    /// `RECORD.FIELD [in GROUP] [where TEST]`
    pub(super) fn scanned_field(&mut self) -> Parsed<(Scan, Box<At<Expression>>)> {
        let record = self.record()?;
        self.expect_sign(".")?;
        let field = self.owned_word("a field")?;
        let value = self.current(field);
        Ok((self.scan_of(record, false)?, Box::new(value)))
    }

    pub(super) fn neighbour(&mut self, next: bool) -> Parsed<Expression> {
        let record = self.record()?;
        let value = if self.accept_sign(".") {
            let field = self.owned_word("a field")?;
            self.current(field)
        } else {
            self.expect_sign("(")?;
            let inner = self.expression()?;
            self.expect_sign(")")?;
            inner
        };
        Ok(Expression::Neighbour { record, next, value: Box::new(value) })
    }

    pub(super) fn current(&self, field: At<String>) -> At<Expression> {
        let name = FieldName { holder: Holder::Current, field: field.node };
        At { offset: field.offset, node: Expression::Field(name) }
    }

    pub(super) fn part_of(&mut self, field: FieldName) -> Parsed<Expression> {
        if !self.accept_sign("[") {
            return Ok(Expression::Field(field));
        }
        let from = self.column()?;
        let to = if self.accept_sign("-") { self.column()? } else { from };
        self.expect_sign("]")?;
        Ok(Expression::Part(field, from, to))
    }

    pub(super) fn column(&mut self) -> Parsed<u8> {
        let word = self.word("a column")?.node;
        word.parse().map_err(|_| self.wrong_before("a column"))
    }

    /// The name of a list.
    pub(super) fn list(&mut self) -> Parsed<At<String>> {
        let offset = self.offset();
        match self.take("a list")? {
            Token::List(name) => Ok(At { offset, node: name.to_owned() }),
            _ => Err(self.wrong_before("a list")),
        }
    }

    pub(super) fn lookup(&mut self, list: At<String>) -> Parsed<Expression> {
        let keys = self.keys()?;
        self.expect_sign(".")?;
        Ok(Expression::Lookup { list, keys, column: self.owned_word("a column's name")? })
    }

    pub(super) fn keys(&mut self) -> Parsed<Vec<TableKey>> {
        self.expect_sign("[")?;
        let mut keys = Vec::new();
        loop {
            let column = self.owned_word("a column's name")?;
            self.expect_sign("=")?;
            keys.push(TableKey { column, value: self.terms()? });
            if !self.accept_sign(",") {
                break;
            }
        }
        self.expect_sign("]")?;
        Ok(keys)
    }

    pub(super) fn scan(&mut self) -> Parsed<Scan> {
        let earlier = self.accept_word("earlier");
        let record = self.record()?;
        self.scan_of(record, earlier)
    }

    pub(super) fn scan_of(&mut self, record: At<RecordName>, earlier: bool) -> Parsed<Scan> {
        let reach = if self.is_word("in") { self.reach()? } else { Reach::Near };
        let filter = if self.accept_word("where") {
            let test = if self.accept_sign("(") {
                let inner = self.expression()?;
                self.expect_sign(")")?;
                inner
            } else {
                self.negation()?
            };
            Some(Box::new(test))
        } else {
            None
        };
        Ok(Scan { record, reach, earlier, filter })
    }

    pub(super) fn reach(&mut self) -> Parsed<Reach> {
        self.expect_word("in")?;
        let word = self.word("`all` or a group")?.node;
        Ok(if word == "all" { Reach::All } else { Reach::Group(word.to_owned()) })
    }

    pub(super) fn field(&mut self) -> Parsed<At<FieldName>> {
        let first = self.word("a field")?;
        let node = if self.accept_sign(".") {
            let holder =
                if first.node == "this" { Holder::This } else { Holder::Nearest(record_name(first.node)) };
            FieldName { holder, field: self.word("a field")?.node.to_owned() }
        } else if RESERVED.contains(&first.node) {
            return Err(self.wrong_before("a field"));
        } else {
            FieldName { holder: Holder::Current, field: first.node.to_owned() }
        };
        Ok(At { offset: first.offset, node })
    }
}
