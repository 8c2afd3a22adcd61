//! Values of a filing put into cells, as they serialize themselves.

use serde::ser::{Impossible, Serialize, SerializeSeq, SerializeStruct, Serializer};

use super::super::layout::FlatLayout;
use super::super::parse::Code;
use super::slot::{Leaf, LeafForm, Slot};
use super::{State, Stop};
use crate::wire::Encoding;

/// Takes one value.
pub(super) struct Placer<'p> {
    pub(super) layout: &'p FlatLayout,
    pub(super) state: &'p mut State,
    pub(super) slot: &'p Slot,
    pub(super) element: usize,
    /// Whether members that no column carries are left over one by one: not within a list, which is carried
    /// or left over as a whole.
    pub(super) keeps_rest: bool,
}

impl Placer<'_> {
    fn leaf(&self) -> Result<&Leaf, Stop> {
        match self.slot {
            Slot::Leaf(leaf) => Ok(leaf),
            _ => Err(Stop::NotCarried),
        }
    }

    fn text(self, text: &str) -> Result<(), Stop> {
        let Slot::Leaf(Leaf { field, form }) = self.slot else { return Err(Stop::NotCarried) };
        let is_plain = match form {
            LeafForm::Text => {
                !text.is_empty() && !text.ends_with(' ') && !text.contains(|letter: char| letter.is_control())
            }
            LeafForm::Amount(decimals) => is_amount(text.as_bytes(), *decimals),
            LeafForm::IsoDate => text.len() == 10 && text != "0",
            LeafForm::Integer => return Err(Stop::NotCarried),
            LeafForm::Other => false,
            LeafForm::Codes(codes) => {
                let is_this = |code: &Code| matches!(code, Code::Text(known) if known == text);
                return self.code(*field, codes, is_this);
            }
        };
        if is_plain {
            self.state.put(self.element, *field, text.as_bytes());
            return Ok(());
        }
        let known = &self.layout.rows[0].fields[*field];
        let Ok(Some(_)) = known.settled(text, Encoding::Ascii) else { return Err(Stop::NotCarried) };
        let written = known.text_of(text).map_err(|_| Stop::NotCarried)?;
        self.state.put(self.element, *field, written.as_bytes());
        Ok(())
    }

    fn code(
        self,
        field: usize,
        codes: &[(String, Code)],
        is_this: impl Fn(&Code) -> bool,
    ) -> Result<(), Stop> {
        let (text, _) = codes.iter().find(|(_, code)| is_this(code)).ok_or(Stop::NotCarried)?;
        self.state.put(self.element, field, text.as_bytes());
        Ok(())
    }
}

/// Whether an amount is written with these decimal places, and without zeros before it.
fn is_amount(text: &[u8], decimals: usize) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let point = if decimals == 0 { 0 } else { decimals + 1 };
    let Some((whole, fraction)) = unsigned.len().checked_sub(point).map(|at| unsigned.split_at(at)) else {
        return false;
    };
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    let is_whole = !whole.is_empty() && digits(whole) && (whole[0] != b'0' || whole.len() == 1);
    let is_zero = || unsigned.iter().all(|byte| matches!(byte, b'0' | b'.'));
    let is_fraction = decimals == 0 || fraction[0] == b'.' && digits(&fraction[1..]);
    is_whole && is_fraction && (unsigned.len() == text.len() || !is_zero())
}

/// The key that tells elements of a list apart, those that there are, and the next of them.
type Keyed<'p> = (&'p str, &'p [(String, Slot)], &'p mut usize);

/// Takes the members of an object.
pub(super) struct Members<'p> {
    placer: Placer<'p>,
    /// The key that tells elements of a list apart, those that there are, and the next of them.
    by_key: Option<Keyed<'p>>,
    members: &'p [(String, Slot)],
}

impl<'p> SerializeStruct for Members<'p> {
    type Ok = ();
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Stop> {
        if let Some((name, elements, next)) = self.by_key.take() {
            if key != name {
                return Err(Stop::NotSimple);
            }
            let state = &mut *self.placer.state;
            state.captured.clear();
            value.serialize(Capture(&mut state.captured))?;
            let at = elements.iter().position(|(text, _)| *text == state.captured).ok_or(Stop::NotCarried)?;
            let Slot::Object(members) = &elements[at].1 else { return Err(Stop::NotSimple) };
            if at < *next {
                return Err(Stop::NotCarried);
            }
            (self.members, *next) = (members, at + 1);
            return Ok(());
        }
        let slot = self.members.iter().find(|(name, _)| name == key).map(|(_, slot)| slot);
        let Placer { layout, state, element, keeps_rest, .. } = &mut self.placer;
        let Some(slot) = slot else { return leave(state, *element, *keeps_rest, key, value) };
        let mark = state.mark(*element);
        let is_object = matches!(slot, Slot::Object(_));
        if *keeps_rest && is_object {
            state.path.push(key);
        }
        let inner = Placer {
            layout,
            state,
            slot,
            element: *element,
            keeps_rest: *keeps_rest && (is_object || matches!(slot, Slot::Rows(..))),
        };
        let placed = value.serialize(inner);
        if *keeps_rest && is_object {
            state.path.pop();
        }
        match placed {
            Ok(()) if state.count > mark.count => Ok(()),
            Ok(()) | Err(Stop::NotCarried) => {
                state.back(*element, &mark);
                leave(state, *element, *keeps_rest, key, value)
            }
            Err(stop) => Err(stop),
        }
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}

fn leave<T: Serialize + ?Sized>(
    state: &mut State,
    element: usize,
    keeps_rest: bool,
    key: &'static str,
    value: &T,
) -> Result<(), Stop> {
    if !keeps_rest {
        return Err(Stop::NotCarried);
    }
    let value = serde_json::to_value(value).map_err(|_| Stop::NotSimple)?;
    state.leave(element, key, value)
}

/// Takes the elements of a list.
pub(super) struct Elements<'p> {
    placer: Placer<'p>,
    next: usize,
}

impl SerializeSeq for Elements<'_> {
    type Ok = ();
    type Error = Stop;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        let Placer { layout, state, slot, element, .. } = &mut self.placer;
        let element = *element;
        match *slot {
            Slot::Rows(level, slot) => {
                let opened = state.open(*level, Some(element));
                self.next += 1;
                state.number(layout, opened, self.next as u64);
                let around = std::mem::take(&mut state.path);
                let inner = Placer { layout, state, slot, element: opened, keeps_rest: true };
                // What is not carried at all is not left over here, but written the general way.
                value.serialize(inner).map_err(|_| Stop::NotSimple)?;
                state.path = around;
                state.close(layout, opened)
            }
            Slot::List(elements) => {
                let slot = elements.get(self.next).ok_or(Stop::NotCarried)?;
                self.next += 1;
                let before = state.count;
                value.serialize(Placer { layout, state, slot, element, keeps_rest: false })?;
                if state.count > before { Ok(()) } else { Err(Stop::NotCarried) }
            }
            Slot::ByKey(key, elements) => {
                let before = state.count;
                let inner = Placer { layout, state, slot, element, keeps_rest: false };
                value.serialize(ByKey { placer: inner, key, elements, next: &mut self.next })?;
                if state.count > before { Ok(()) } else { Err(Stop::NotCarried) }
            }
            Slot::Leaf(_) | Slot::Object(_) => Err(Stop::NotCarried),
        }
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}

/// Takes an element of a list that its key tells apart.
struct ByKey<'p> {
    placer: Placer<'p>,
    key: &'p str,
    elements: &'p [(String, Slot)],
    next: &'p mut usize,
}

/// Takes a text.
struct Capture<'p>(&'p mut String);

/// The kinds of values that a serializer refuses.
macro_rules! refuse {
    ($($name:ident($($kind:ty),*),)*) => {
        $(fn $name(self, $(_: $kind),*) -> Result<Self::Ok, Stop> { Err(Stop::NotCarried) })*
    };
}

macro_rules! refuse_all {
    () => {
        type SerializeTuple = Impossible<(), Stop>;
        type SerializeTupleStruct = Impossible<(), Stop>;
        type SerializeTupleVariant = Impossible<(), Stop>;
        type SerializeMap = Impossible<(), Stop>;
        type SerializeStructVariant = Impossible<(), Stop>;

        refuse! {
            serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
            serialize_f32(f32), serialize_f64(f64), serialize_char(char), serialize_bytes(&[u8]),
            serialize_none(), serialize_unit(), serialize_unit_struct(&'static str),
        }

        fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
            value.serialize(self)
        }

        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            value: &T,
        ) -> Result<(), Stop> {
            value.serialize(self)
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<(), Stop> {
            Err(Stop::NotCarried)
        }

        fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Stop> {
            self.serialize_str(variant)
        }

        fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Stop> {
            Err(Stop::NotCarried)
        }

        fn serialize_tuple_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleStruct, Stop> {
            Err(Stop::NotCarried)
        }

        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleVariant, Stop> {
            Err(Stop::NotCarried)
        }

        fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Stop> {
            Err(Stop::NotCarried)
        }

        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStructVariant, Stop> {
            Err(Stop::NotCarried)
        }
    };
}

impl<'p> Serializer for Placer<'p> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Elements<'p>;
    type SerializeStruct = Members<'p>;

    refuse_all! {}

    fn serialize_str(self, text: &str) -> Result<(), Stop> {
        self.text(text)
    }

    fn serialize_bool(self, value: bool) -> Result<(), Stop> {
        let Slot::Leaf(Leaf { field, form: LeafForm::Codes(codes) }) = self.slot else {
            return Err(Stop::NotCarried);
        };
        self.code(*field, codes, |code| *code == Code::Bool(value))
    }

    fn serialize_u8(self, number: u8) -> Result<(), Stop> {
        self.serialize_u64(number.into())
    }

    fn serialize_u16(self, number: u16) -> Result<(), Stop> {
        self.serialize_u64(number.into())
    }

    fn serialize_u32(self, number: u32) -> Result<(), Stop> {
        self.serialize_u64(number.into())
    }

    fn serialize_u64(self, number: u64) -> Result<(), Stop> {
        let Leaf { field, form: LeafForm::Integer } = self.leaf()? else { return Err(Stop::NotCarried) };
        let field = *field;
        self.state.put(self.element, field, number.to_string().as_bytes());
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'p>, Stop> {
        match self.slot {
            Slot::List(_) | Slot::ByKey(..) | Slot::Rows(..) => Ok(Elements { placer: self, next: 0 }),
            // A list of a list: the values of each record apart.
            Slot::Leaf(_) | Slot::Object(_) => Err(Stop::NotSimple),
        }
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'p>, Stop> {
        let Slot::Object(members) = self.slot else { return Err(Stop::NotCarried) };
        Ok(Members { placer: self, by_key: None, members })
    }
}

impl<'p> Serializer for ByKey<'p> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Impossible<(), Stop>;
    type SerializeStruct = Members<'p>;

    refuse_all! {}
    refuse! {
        serialize_str(&str), serialize_bool(bool), serialize_u8(u8), serialize_u16(u16), serialize_u32(u32),
        serialize_u64(u64),
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Stop> {
        Err(Stop::NotSimple)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'p>, Stop> {
        let Self { placer, key, elements, next } = self;
        Ok(Members { placer, by_key: Some((key, elements, next)), members: &[] })
    }
}

impl Serializer for Capture<'_> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Impossible<(), Stop>;
    type SerializeStruct = Impossible<(), Stop>;

    refuse_all! {}
    refuse! {
        serialize_bool(bool), serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
    }

    fn serialize_str(self, text: &str) -> Result<(), Stop> {
        self.0.push_str(text);
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Stop> {
        Err(Stop::NotCarried)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Stop> {
        Err(Stop::NotCarried)
    }
}
