//! What is to become of each entry of a row, before any text is touched.

use super::datum::Misfit;
use super::layout::{Kind, Map, Node};
use crate::core::edit::{Op, Value};

/// A mapping of the roll and what is to become of it.
pub(super) struct Draft<'l, 't> {
    /// The mapping as it is.
    pub(super) map: &'l Map<'t>,
    /// What becomes of each of its entries.
    pub(super) fates: Vec<Fate<'l, 't>>,
    /// The entries it gets.
    pub(super) added: Vec<(String, Written)>,
}

/// What becomes of an entry.
pub(super) enum Fate<'l, 't> {
    /// It stays as it is.
    Keep,
    /// It gets another value.
    Replace(Written),
    /// The mapping it holds changes.
    Inside(Draft<'l, 't>),
    /// The list it holds gets these before its first item, in this order.
    Grow(Vec<String>),
    /// It goes, or is moved elsewhere.
    Cut,
}

/// A value to be written.
pub(super) enum Written {
    Value(Value),
    List(Vec<String>),
    /// A mapping of entries that stood elsewhere in the row.
    Moved(Vec<Moved>),
}

/// An entry that moves.
pub(super) enum Moved {
    /// The entry of that number, as it stands in the text.
    Entry(usize),
    /// One that is not in the text yet.
    Fresh(String, Written),
}

impl<'l, 't> Draft<'l, 't> {
    /// A draft that changes nothing.
    pub(super) fn of(map: &'l Map<'t>) -> Self {
        Self {
            map,
            fates: map.entries.iter().map(|_| Fate::Keep).collect(),
            added: Vec::new(),
        }
    }

    /// Carries out one step. The steps that append rows are none of a row's.
    pub(super) fn carry_out(&mut self, op: &Op) -> Result<(), Misfit> {
        match op {
            Op::Set { path, value } => self.set(path, value),
            Op::Gather { keys, under } => self.gather(keys, under),
            Op::Prepend { key, text } => self.prepend(key, text),
            Op::Append { .. } => Ok(()),
        }
    }

    /// The entry of a key that has not gone.
    fn find(&self, key: &str) -> Option<usize> {
        self.map
            .entries
            .iter()
            .zip(&self.fates)
            .position(|(entry, fate)| entry.key_text() == Some(key) && !matches!(fate, Fate::Cut))
    }

    fn put(&mut self, key: &str, written: Written) {
        if let Some(at) = self.find(key) {
            self.fates[at] = Fate::Replace(written);
        } else if let Some(added) = self.added.iter_mut().find(|(known, _)| known == key) {
            added.1 = written;
        } else {
            self.added.push((key.to_owned(), written));
        }
    }

    fn set(&mut self, path: &[String], value: &Value) -> Result<(), Misfit> {
        let Some((key, rest)) = path.split_first() else {
            return Ok(());
        };
        let Some((inner, _)) = rest.split_first() else {
            self.put(key, Written::Value(value.clone()));
            return Ok(());
        };
        let alone = || Written::Value(Value::Map(vec![(inner.clone(), value.clone())]));
        let pending = match self.find(key) {
            Some(at) => {
                if matches!(self.fates[at], Fate::Keep) {
                    let node = &self.map.entries[at].value;
                    if is_null(node) {
                        self.fates[at] = Fate::Replace(alone());
                        return Ok(());
                    }
                    let map = node.map().ok_or_else(|| misfit(key, node, "a mapping"))?;
                    self.fates[at] = Fate::Inside(Draft::of(map));
                }
                match &mut self.fates[at] {
                    Fate::Inside(draft) => return draft.set(rest, value),
                    Fate::Replace(written) => written,
                    _ => return Err(unsettled(key)),
                }
            }
            None => match self.added.iter_mut().find(|(known, _)| known == key) {
                Some((_, written)) => written,
                None => {
                    self.added.push((key.clone(), alone()));
                    return Ok(());
                }
            },
        };
        match pending {
            Written::Value(Value::Map(pairs)) => {
                match pairs.iter_mut().find(|(known, _)| known == inner) {
                    Some(pair) => pair.1 = value.clone(),
                    None => pairs.push((inner.clone(), value.clone())),
                }
                Ok(())
            }
            _ => Err(unsettled(key)),
        }
    }

    fn gather(&mut self, keys: &[String], under: &str) -> Result<(), Misfit> {
        let mut moved = Vec::new();
        for (at, entry) in self.map.entries.iter().enumerate() {
            let Some(key) = entry.key_text() else {
                continue;
            };
            if !keys.iter().any(|known| known == key) {
                continue;
            }
            match std::mem::replace(&mut self.fates[at], Fate::Cut) {
                Fate::Keep => moved.push(Moved::Entry(at)),
                Fate::Replace(written) => moved.push(Moved::Fresh(key.to_owned(), written)),
                Fate::Cut => {}
                Fate::Inside(_) | Fate::Grow(_) => return Err(unsettled(key)),
            }
        }
        let (fresh, added) = std::mem::take(&mut self.added)
            .into_iter()
            .partition::<Vec<_>, _>(|(key, _)| keys.contains(key));
        self.added = added;
        moved.extend(
            fresh
                .into_iter()
                .map(|(key, written)| Moved::Fresh(key, written)),
        );
        if !moved.is_empty() {
            self.put(under, Written::Moved(moved));
        }
        Ok(())
    }

    fn prepend(&mut self, key: &str, text: &str) -> Result<(), Misfit> {
        let Some(at) = self.find(key) else {
            match self.added.iter_mut().find(|(known, _)| known == key) {
                Some((_, Written::List(items))) => items.insert(0, text.to_owned()),
                Some(_) => return Err(unsettled(key)),
                None => self
                    .added
                    .push((key.to_owned(), Written::List(vec![text.to_owned()]))),
            }
            return Ok(());
        };
        let node = &self.map.entries[at].value;
        match &mut self.fates[at] {
            fate @ Fate::Keep if is_null(node) => {
                *fate = Fate::Replace(Written::List(vec![text.to_owned()]));
            }
            fate @ Fate::Keep if matches!(node.kind, Kind::List(_)) => {
                *fate = Fate::Grow(vec![text.to_owned()]);
            }
            Fate::Keep => return Err(misfit(key, node, "a list")),
            Fate::Grow(items) | Fate::Replace(Written::List(items)) => {
                items.insert(0, text.to_owned());
            }
            _ => return Err(unsettled(key)),
        }
        Ok(())
    }
}

/// Whether a value is null, or nothing, and plainly so.
pub(super) fn is_null(node: &Node<'_>) -> bool {
    !node.marked && matches!(node.plain(), Some("" | "~" | "null" | "Null" | "NULL"))
}

fn misfit(key: &str, node: &Node<'_>, needed: &'static str) -> Misfit {
    let found = match &node.kind {
        _ if node.marked => "marked with an anchor or a tag",
        Kind::Scalar { .. } => "a single value",
        Kind::Alias => "an alias of a value that stands elsewhere",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a mapping",
    };
    Misfit {
        key: key.to_owned(),
        found,
        needed,
    }
}

fn unsettled(key: &str) -> Misfit {
    Misfit {
        key: key.to_owned(),
        found: "changed in two ways at once",
        needed: "changed in one",
    }
}
