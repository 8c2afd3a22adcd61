//! Reads a file of rules; `docs/rules.md` describes the language.

mod expression;

use std::collections::HashMap;

use super::RuleError;
use super::ast::{At, Counting, Expression, Item, RecordName, Rule, RuleFile, Signpost};
use super::lex::{Token, tokens};

/// Words that cannot be a field's name.
const RESERVED: [&str; 28] = [
    "and", "or", "not", "in", "like", "given", "blank", "any", "count", "sum", "where", "this", "previous",
    "next", "today", "gap", "known", "absent", "first", "let", "the", "repeats", "differ", "weekend",
    "round", "abs", "earlier", "owed",
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
            let end = self.end();
            self.expect_sign("{")?;
            let mut items = Vec::new();
            while !self.accept_sign("}") {
                items.extend(self.item()?);
            }
            Item::When(test, end, items)
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
        Ok(Rule { code, record, field, signpost, test, end: self.end() })
    }

    fn record(&mut self) -> Parsed<At<RecordName>> {
        let word = self.word("a record")?;
        Ok(At { offset: word.offset, node: record_name(word.node) })
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

    /// Behind the token that was taken last.
    fn end(&self) -> usize {
        let last = self.next.checked_sub(1).and_then(|last| self.tokens.get(last));
        last.map_or(0, |(offset, token)| offset + token.length())
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
