//! How values stand in a snapshot: each type says once what it is written as, read from, and described by.
//!
//! Structures are objects with their fields' names, words are texts, times are milliseconds since the epoch, maps are
//! lists of pairs. What may not be seen is `{"seen": …}`, `{"absent": proof}` or `{"unknown": reason}`.
//!
//! There are many types and they are rarely written: what needs not be made anew for each of them is a function of its
//! own here, and none of it is inlined, which keeps the program small.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

#[cfg(test)]
use serde_json::json;
use serde_json::{Map, Value};

use crate::core::ids::{
    AgentKind, BootId, ConversationId, DriftId, ServerName, SessionName, Timestamp,
};
use crate::core::jobs::JobId;
use crate::core::sighting::{Proof, Reason, Sighting};

/// The descriptions of structures, by name.
#[cfg(test)]
pub(super) type Defs = Map<String, Value>;

/// A value that a snapshot can hold.
pub(super) trait Form: Sized {
    /// As it is written.
    fn shown(&self) -> Value;

    /// From what was written.
    fn read(value: &Value) -> Result<Self, Fault>;

    /// What is written, as JSON Schema.
    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value;
}

/// What is wrong with a value, and where in the document it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(Box<(String, String)>);

impl Fault {
    #[inline(never)]
    pub(super) fn expected(what: &str) -> Self {
        Self(Box::new((String::new(), format!("{what} is expected"))))
    }

    /// The same, within a key.
    #[inline(never)]
    pub(super) fn within(mut self, key: &str) -> Self {
        self.0.0.insert_str(0, key);
        self.0.0.insert(0, '.');
        self
    }

    /// The same, within an item.
    #[inline(never)]
    fn of_item(mut self, at: usize) -> Self {
        self.0.0.insert_str(0, &format!("[{at}]"));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, what) = &*self.0;
        write!(f, "at {}: {what}", place.trim_start_matches('.'))
    }
}

/// The value of a key of an object.
#[inline(never)]
pub(super) fn field<T: Form>(value: &Value, key: &str) -> Result<T, Fault> {
    T::read(at(value, key)).map_err(|fault| fault.within(key))
}

#[inline(never)]
fn at<'v>(value: &'v Value, key: &str) -> &'v Value {
    value.get(key).unwrap_or(&Value::Null)
}

/// An object that is being written.
#[derive(Default)]
pub(super) struct Object(Map<String, Value>);

impl Object {
    #[inline(never)]
    pub(super) fn put(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), value);
    }

    #[inline(never)]
    pub(super) fn whole(self) -> Value {
        Value::Object(self.0)
    }

    /// An object of one key.
    #[inline(never)]
    pub(super) fn of(key: &str, value: Value) -> Value {
        let mut object = Self::default();
        object.put(key, value);
        object.whole()
    }
}

/// Gives a structure its form: an object of its fields.
macro_rules! structure {
    ($type:ident { $($field:ident: $of:ty),* $(,)? }) => {
        impl $crate::snapshot::form::Form for $type {
            #[inline(never)]
            fn shown(&self) -> serde_json::Value {
                // Taken apart without `..`, so that nothing new can be forgotten.
                let Self { $($field),* } = self;
                let mut object = $crate::snapshot::form::Object::default();
                $(object.put(stringify!($field), $crate::snapshot::form::Form::shown($field));)*
                object.whole()
            }

            #[inline(never)]
            fn read(value: &serde_json::Value) -> Result<Self, $crate::snapshot::form::Fault> {
                Ok(Self { $($field: $crate::snapshot::form::field::<$of>(value, stringify!($field))?),* })
            }

            #[cfg(test)]
            fn schema(defs: &mut $crate::snapshot::form::Defs) -> serde_json::Value {
                let fields = vec![$((
                    stringify!($field),
                    <$of as $crate::snapshot::form::Form>::schema(defs),
                )),*];
                $crate::snapshot::form::described(defs, stringify!($type), fields)
            }
        }
    };
}
pub(super) use structure;

/// Gives an enum of words its form: the word.
macro_rules! words {
    ($type:ty { $($variant:path => $word:expr),* $(,)? }) => {
        impl $crate::snapshot::form::Form for $type {
            fn shown(&self) -> serde_json::Value {
                match self {
                    $($variant => $word.into(),)*
                }
            }

            fn read(value: &serde_json::Value) -> Result<Self, $crate::snapshot::form::Fault> {
                $(if value.as_str() == Some($word) {
                    return Ok($variant);
                })*
                Err($crate::snapshot::form::Fault::expected(
                    &[$($word),*].join(" or "),
                ))
            }

            #[cfg(test)]
            fn schema(_: &mut $crate::snapshot::form::Defs) -> serde_json::Value {
                serde_json::json!({ "enum": [$($word),*] })
            }
        }
    };
}
pub(super) use words;

/// A description that is written once, and a reference to it.
#[cfg(test)]
fn shared(defs: &mut Defs, name: &str, schema: Value) -> Value {
    defs.insert(name.to_owned(), schema);
    json!({ "$ref": format!("#/$defs/{name}") })
}

#[cfg(test)]
pub(super) fn described(defs: &mut Defs, name: &str, fields: Vec<(&str, Value)>) -> Value {
    let required: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = fields
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    let schema = json!({ "type": "object", "required": required, "properties": properties });
    shared(defs, name, schema)
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Form for $type {
            fn shown(&self) -> Value {
                (*self).into()
            }

            fn read(value: &Value) -> Result<Self, Fault> {
                let number = value.as_i64().and_then(|number| Self::try_from(number).ok());
                let large = || value.as_u64().and_then(|number| Self::try_from(number).ok());
                number.or_else(large).ok_or_else(|| Fault::expected("a number"))
            }

            #[cfg(test)]
            fn schema(_: &mut Defs) -> Value {
                json!({ "type": "integer" })
            }
        }
    )*};
}
number!(u32, u64, i64);

/// A text that stands for a value.
macro_rules! text {
    ($($type:ty: $read:expr),* $(,)?) => {$(
        impl Form for $type {
            fn shown(&self) -> Value {
                self.to_string().into()
            }

            fn read(value: &Value) -> Result<Self, Fault> {
                let text = value.as_str().ok_or_else(|| Fault::expected("a text"))?;
                let read: fn(&str) -> Option<Self> = $read;
                read(text).ok_or_else(|| Fault::expected("another text"))
            }

            #[cfg(test)]
            fn schema(_: &mut Defs) -> Value {
                json!({ "type": "string" })
            }
        }
    )*};
}
text! {
    String: |text| Some(text.to_owned()),
    SessionName: |text| Some(Self::new(text)),
    ServerName: |text| Some(Self::new(text)),
    ConversationId: |text| Some(Self::new(text)),
    BootId: |text| Some(Self::new(text)),
    DriftId: |text| Some(Self::new(text)),
    JobId: Self::parse,
    AgentKind: Self::named,
    glob::Pattern: |text| Self::new(text).ok(),
}

impl Form for bool {
    fn shown(&self) -> Value {
        (*self).into()
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        value
            .as_bool()
            .ok_or_else(|| Fault::expected("true or false"))
    }

    #[cfg(test)]
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "boolean" })
    }
}

impl Form for () {
    fn shown(&self) -> Value {
        Value::Null
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        value.as_null().ok_or_else(|| Fault::expected("null"))
    }

    #[cfg(test)]
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "null" })
    }
}

impl Form for Timestamp {
    fn shown(&self) -> Value {
        self.millis().into()
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        i64::read(value).map(Self::from_millis)
    }

    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value {
        let time = json!({ "type": "integer", "description": "Milliseconds since the epoch." });
        shared(defs, "Timestamp", time)
    }
}

impl Form for Duration {
    fn shown(&self) -> Value {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX).into()
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        u64::read(value).map(Self::from_millis)
    }

    #[cfg(test)]
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "integer", "description": "Milliseconds." })
    }
}

impl<T: Form> Form for Option<T> {
    fn shown(&self) -> Value {
        self.as_ref().map_or(Value::Null, Form::shown)
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Null => Ok(None),
            value => T::read(value).map(Some),
        }
    }

    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value {
        json!({ "anyOf": [{ "type": "null" }, T::schema(defs)] })
    }
}

#[inline(never)]
fn items(value: &Value) -> Result<&[Value], Fault> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(Fault::expected("a list")),
    }
}

#[inline(never)]
fn list<'a, T: Form + 'a>(list: &mut dyn Iterator<Item = &'a T>) -> Value {
    let mut shown = Vec::new();
    for item in list {
        shown.push(item.shown());
    }
    Value::Array(shown)
}

macro_rules! lists {
    ($([$($of:tt)*] $type:ty, $add:ident);*) => {$(
        impl<T: $($of)*> Form for $type {
            #[inline(never)]
            fn shown(&self) -> Value {
                list(&mut self.iter())
            }

            #[inline(never)]
            fn read(value: &Value) -> Result<Self, Fault> {
                let mut list = Self::new();
                for (at, item) in items(value)?.iter().enumerate() {
                    list.$add(T::read(item).map_err(|fault| fault.of_item(at))?);
                }
                Ok(list)
            }

            #[cfg(test)]
            fn schema(defs: &mut Defs) -> Value {
                json!({ "type": "array", "items": T::schema(defs) })
            }
        }
    )*};
}
lists!([Form] Vec<T>, push; [Form + Ord] BTreeSet<T>, insert);

#[inline(never)]
fn pair(value: &Value) -> Result<[&Value; 2], Fault> {
    match items(value)? {
        [first, second] => Ok([first, second]),
        _ => Err(Fault::expected("a pair")),
    }
}

impl<A: Form, B: Form> Form for (A, B) {
    fn shown(&self) -> Value {
        Value::Array(vec![self.0.shown(), self.1.shown()])
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        let [first, second] = pair(value)?;
        Ok((
            A::read(first).map_err(|fault| fault.of_item(0))?,
            B::read(second).map_err(|fault| fault.of_item(1))?,
        ))
    }

    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value {
        let pair = [A::schema(defs), B::schema(defs)];
        json!({ "type": "array", "prefixItems": pair, "minItems": 2, "maxItems": 2 })
    }
}

impl<K: Form + Ord, V: Form> Form for BTreeMap<K, V> {
    #[inline(never)]
    fn shown(&self) -> Value {
        let mut shown = Vec::new();
        for (key, value) in self {
            shown.push(Value::Array(vec![key.shown(), value.shown()]));
        }
        Value::Array(shown)
    }

    #[inline(never)]
    fn read(value: &Value) -> Result<Self, Fault> {
        let mut map = Self::new();
        for (at, item) in items(value)?.iter().enumerate() {
            let (key, value) = <(K, V)>::read(item).map_err(|fault| fault.of_item(at))?;
            map.insert(key, value);
        }
        Ok(map)
    }

    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value {
        json!({ "type": "array", "items": <(K, V)>::schema(defs) })
    }
}

#[inline(never)]
fn said(how: &str, why: &dyn fmt::Display) -> Value {
    Object::of(how, Value::String(why.to_string()))
}

/// How something was seen, apart from what was.
#[inline(never)]
fn seen(value: &Value) -> Result<Sighting<()>, Fault> {
    let said = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
    if value.get("seen").is_some() {
        Ok(Sighting::Present(()))
    } else if let Some(proof) = said("absent") {
        Ok(Sighting::Absent(Proof::new(proof)))
    } else if let Some(reason) = said("unknown") {
        Ok(Sighting::Unknown(Reason::new(reason)))
    } else {
        Err(Fault::expected("seen, absent or unknown"))
    }
}

impl<T: Form> Form for Sighting<T> {
    #[inline(never)]
    fn shown(&self) -> Value {
        match self {
            Self::Present(thing) => Object::of("seen", thing.shown()),
            Self::Absent(proof) => said("absent", proof),
            Self::Unknown(reason) => said("unknown", reason),
        }
    }

    #[inline(never)]
    fn read(value: &Value) -> Result<Self, Fault> {
        // An older headcount did not look for it.
        if value.is_null() {
            return Ok(Self::unknown("it was not recorded"));
        }
        match seen(value)? {
            Sighting::Present(()) => field(value, "seen").map(Self::Present),
            Sighting::Absent(proof) => Ok(Self::Absent(proof)),
            Sighting::Unknown(reason) => Ok(Self::Unknown(reason)),
        }
    }

    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value {
        let one = |key: &str, of: Value| json!({ "type": "object", "required": [key], "properties": { key: of } });
        let text = || json!({ "type": "string" });
        let not = json!({ "anyOf": [one("absent", text()), one("unknown", text())] });
        let not = shared(defs, "NotSeen", not);
        json!({ "anyOf": [one("seen", T::schema(defs)), not] })
    }
}
