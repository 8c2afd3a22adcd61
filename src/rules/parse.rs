//! Reads a file of rules; `docs/rules.md` describes the language.

use std::collections::HashMap;

use super::RuleError;
use super::ast::{
    Arithmetic, At, CalendarUnit, Comparison, Counting, Expression, FieldName, Holder, Item, Reach,
    RecordName, Rule, RuleFile, Scan, Signpost, TableKey,
};
use super::lex::{Token, tokens};

/// Words that cannot be a field's name.
const RESERVED: [&str; 26] = [
    "and", "or", "not", "in", "like", "given", "blank", "any", "count", "sum", "where", "this", "previous",
    "next", "today", "gap", "known", "first", "let", "the", "repeats", "differ", "weekend", "round", "abs",
    "earlier",
];

pub(super) fn parse(text: &str) -> Result<RuleFile, RuleError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, tokens: &tokens, next: 0, named: HashMap::new() };
    parser.expect_word("rules")?;
    let application = parser.word("an application identifier")?.node.to_owned();
    let mut items = Vec::new();
    while parser.next < tokens.len() {
        items.extend(parser.item()?);
    }
    Ok(RuleFile { application, items })
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [(usize, Token<'a>)],
    next: usize,
    /// Values and tests that the file has given a name; it stands for them from there on.
    named: HashMap<&'a str, Expression>,
}

type Parsed<T> = Result<T, RuleError>;

impl<'a> Parser<'a> {
    /// The next item; none if it only gives something a name.
    fn item(&mut self) -> Parsed<Option<At<Item>>> {
        let offset = self.offset();
        if self.accept_word("let") {
            self.name_value()?;
            return Ok(None);
        }
        let node = if self.accept_word("signpost") {
            Item::Signpost(self.signpost()?)
        } else if self.accept_word("rule") {
            Item::Rule(self.rule()?)
        } else if self.accept_word("when") {
            let test = self.expression()?;
            self.expect_sign("{")?;
            let mut items = Vec::new();
            while !self.accept_sign("}") {
                items.extend(self.item()?);
            }
            Item::When(test, items)
        } else {
            return Err(self.wrong("`rule`, `when` or `signpost`"));
        };
        Ok(Some(At { offset, node }))
    }

    fn name_value(&mut self) -> Parsed<()> {
        let name = self.word("a name")?.node;
        self.expect_sign("=")?;
        let value = self.expression()?.node;
        match self.named.insert(name, value) {
            None => Ok(()),
            Some(_) => Err(self.wrong_before("a name that is not taken")),
        }
    }

    fn signpost(&mut self) -> Parsed<Signpost> {
        let name = self.word("a reference type")?.node.to_owned();
        let mut found =
            Signpost { name, records: Vec::new(), within: Vec::new(), counting: Counting::Sequence };
        if self.accept_word("of") {
            while let Some(Token::Word(word)) = self.peek() {
                if ["signpost", "rule", "when", "within", "across", "numbered", "zero", "block"]
                    .contains(&word)
                {
                    break;
                }
                found.records.push(self.record()?);
            }
        }
        if self.accept_word("within") {
            found.within.push(self.owned_word("a reference type")?);
            while self.accept_word("or") {
                found.within.push(self.owned_word("a reference type")?);
            }
        }
        if self.accept_word("across") {
            found.counting = Counting::Across;
        } else if self.accept_word("block") {
            found.counting = Counting::Block;
        } else if self.accept_word("zero") {
            found.counting = Counting::Zero;
        } else if self.accept_word("numbered") {
            found.counting = Counting::Field(self.word("a field")?.node.to_owned());
        }
        Ok(found)
    }

    fn rule(&mut self) -> Parsed<Rule> {
        let code = self.word("a condition code")?.node.to_owned();
        self.expect_word("on")?;
        let record = self.record()?;
        let field = if self.accept_word("of") { Some(self.owned_word("a field")?) } else { None };
        let signpost = if self.accept_word("at") { Some(self.owned_word("a reference type")?) } else { None };
        self.expect_word("when")?;
        let test = self.expression()?;
        Ok(Rule { code, record, field, signpost, test })
    }

    fn record(&mut self) -> Parsed<At<RecordName>> {
        let word = self.word("a record")?;
        Ok(At { offset: word.offset, node: record_name(word.node) })
    }

    fn expression(&mut self) -> Parsed<At<Expression>> {
        self.joined("or", Expression::Or, |parser| parser.joined("and", Expression::And, Self::negation))
    }

    fn joined(
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

    fn negation(&mut self) -> Parsed<At<Expression>> {
        let offset = self.offset();
        if self.accept_word("not") {
            let inner = self.negation()?;
            return Ok(At { offset, node: Expression::Not(Box::new(inner)) });
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed<At<Expression>> {
        let left = self.terms()?;
        let offset = left.offset;
        let negated = self.is_word("not");
        if negated {
            self.next += 1;
        }
        let node = if self.accept_word("in") {
            match self.take("`{` or a list")? {
                Token::List(name) => Expression::OnList(Box::new(left), name.to_owned()),
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

    fn comparison_sign(&mut self) -> Option<Comparison> {
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

    fn texts(&mut self) -> Parsed<Vec<String>> {
        let mut texts = Vec::new();
        loop {
            match self.take("a value or `}`")? {
                Token::Word(text) | Token::Text(text) => texts.push(text.to_owned()),
                Token::Sign("}") => return Ok(texts),
                _ => return Err(self.wrong_before("a value or `}`")),
            }
        }
    }

    fn terms(&mut self) -> Parsed<At<Expression>> {
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

    fn calendar_unit(&mut self) -> Option<CalendarUnit> {
        [("days", CalendarUnit::Days), ("months", CalendarUnit::Months), ("years", CalendarUnit::Years)]
            .into_iter()
            .find(|(word, _)| self.accept_word(word))
            .map(|(_, unit)| unit)
    }

    fn factors(&mut self) -> Parsed<At<Expression>> {
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

    fn operand(&mut self) -> Parsed<At<Expression>> {
        let offset = self.offset();
        let node = match self.take("a value")? {
            Token::Text(text) => Expression::Text(text.to_owned()),
            Token::List(list) => self.lookup(list)?,
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

    fn worded(&mut self, word: &str) -> Parsed<Expression> {
        Ok(match word {
            "today" => Expression::Today,
            "block" => {
                self.expect_sign(".")?;
                Expression::Block(self.word("what of the block")?.node.to_owned())
            }
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
            "known" => match self.take("a list")? {
                Token::List(name) => Expression::Known { list: name.to_owned(), keys: self.keys()? },
                _ => return Err(self.wrong_before("a list")),
            },
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

    /// `RECORD.FIELD [in GROUP] [where TEST]`
    fn scanned_field(&mut self) -> Parsed<(Scan, Box<At<Expression>>)> {
        let record = self.record()?;
        self.expect_sign(".")?;
        let field = self.owned_word("a field")?;
        let value = self.current(field);
        Ok((self.scan_of(record, false)?, Box::new(value)))
    }

    fn neighbour(&mut self, next: bool) -> Parsed<Expression> {
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

    fn current(&self, field: At<String>) -> At<Expression> {
        let name = FieldName { holder: Holder::Current, field: field.node };
        At { offset: field.offset, node: Expression::Field(name) }
    }

    fn part_of(&mut self, field: FieldName) -> Parsed<Expression> {
        if !self.accept_sign("[") {
            return Ok(Expression::Field(field));
        }
        let from = self.column()?;
        let to = if self.accept_sign("-") { self.column()? } else { from };
        self.expect_sign("]")?;
        Ok(Expression::Part(field, from, to))
    }

    fn column(&mut self) -> Parsed<u8> {
        let word = self.word("a column")?.node;
        word.parse().map_err(|_| self.wrong_before("a column"))
    }

    fn lookup(&mut self, list: &str) -> Parsed<Expression> {
        let keys = self.keys()?;
        self.expect_sign(".")?;
        let column = self.word("a column's name")?.node.to_owned();
        Ok(Expression::Lookup { list: list.to_owned(), keys, column })
    }

    fn keys(&mut self) -> Parsed<Vec<TableKey>> {
        self.expect_sign("[")?;
        let mut keys = Vec::new();
        loop {
            let column = self.word("a column's name")?.node.to_owned();
            self.expect_sign("=")?;
            keys.push(TableKey { column, value: self.terms()? });
            if !self.accept_sign(",") {
                break;
            }
        }
        self.expect_sign("]")?;
        Ok(keys)
    }

    fn scan(&mut self) -> Parsed<Scan> {
        let earlier = self.accept_word("earlier");
        let record = self.record()?;
        self.scan_of(record, earlier)
    }

    fn scan_of(&mut self, record: At<RecordName>, earlier: bool) -> Parsed<Scan> {
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

    fn reach(&mut self) -> Parsed<Reach> {
        self.expect_word("in")?;
        let word = self.word("`all` or a group")?.node;
        Ok(if word == "all" { Reach::All } else { Reach::Group(word.to_owned()) })
    }

    fn field(&mut self) -> Parsed<At<FieldName>> {
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

    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.next).map(|(_, token)| *token)
    }

    fn take(&mut self, expected: &str) -> Parsed<Token<'a>> {
        let token = self.peek().ok_or_else(|| self.wrong(expected))?;
        self.next += 1;
        Ok(token)
    }

    fn word(&mut self, expected: &str) -> Parsed<At<&'a str>> {
        let offset = self.offset();
        match self.peek() {
            Some(Token::Word(node)) => {
                self.next += 1;
                Ok(At { offset, node })
            }
            _ => Err(self.wrong(expected)),
        }
    }

    fn owned_word(&mut self, expected: &str) -> Parsed<At<String>> {
        let word = self.word(expected)?;
        Ok(At { offset: word.offset, node: word.node.to_owned() })
    }

    fn is_word(&self, word: &str) -> bool {
        self.peek() == Some(Token::Word(word))
    }

    fn is_sign(&self, sign: &str) -> bool {
        self.peek() == Some(Token::Sign(sign))
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    fn accept_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.next += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.accept_word(word) { Ok(()) } else { Err(self.wrong(&format!("`{word}`"))) }
    }

    fn expect_sign(&mut self, sign: &str) -> Parsed<()> {
        if self.accept_sign(sign) { Ok(()) } else { Err(self.wrong(&format!("`{sign}`"))) }
    }

    fn offset(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |(offset, _)| *offset)
    }

    fn wrong(&self, expected: &str) -> RuleError {
        RuleError::at(self.text, self.offset(), format!("expected {expected}"))
    }

    fn wrong_before(&self, expected: &str) -> RuleError {
        let offset =
            self.tokens.get(self.next.wrapping_sub(1)).map_or(self.text.len(), |(offset, _)| *offset);
        RuleError::at(self.text, offset, format!("expected {expected}"))
    }
}

fn is_number(word: &str) -> bool {
    word.starts_with(|sign: char| sign.is_ascii_digit())
        && word.chars().all(|sign| sign.is_ascii_digit() || sign == '.')
}

fn record_name(word: &str) -> RecordName {
    let (word, items) = word.strip_suffix('#').map_or((word, false), |word| (word, true));
    match word.split_once(':') {
        Some((record, variant)) => {
            RecordName { record: record.to_owned(), variant: Some(variant.to_owned()), items }
        }
        None => RecordName { record: word.to_owned(), variant: None, items },
    }
}
