//! Which element of a document is which: the keys under which elements are claimed (design §3).

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::Value;

use crate::domain::view::Spec;

/// An element with its key.
pub(super) type Keyed<'a> = (String, &'a Value);

/// Elements with their keys. Elements that share a key (three phones of one number, as Entra sends) are told apart by a
/// number, so that none is lost. One that is `known` keeps the key it has there: first those that `look` the same, then, in
/// their order, those that have changed, unless they are `veiled` from whom the element is of; only the rest are new. A key that is `hidden` from
/// the caller is nobody's.
pub(super) fn keyed<'a>(
    spec: &Spec,
    (known, hidden): (&[Keyed<'_>], &[String]),
    elements: &'a [Value],
    look: impl Fn(&Value) -> String,
    veiled: impl Fn(&Value, &Value) -> bool,
) -> Vec<Keyed<'a>> {
    let shared: Vec<String> = elements
        .iter()
        .map(|element| spec.element_key(element))
        .collect();
    let mut keys: Vec<Option<&str>> = vec![None; elements.len()];
    let mut left = vec![true; known.len()];
    let known_shared: Vec<String> = known
        .iter()
        .map(|(_, element)| spec.element_key(element))
        .collect();
    for alike in [true, false] {
        let text = |shared: &str, element: &Value| {
            let look = if alike { look(element) } else { String::new() };
            (shared.to_owned(), look)
        };
        let mut free: HashMap<(String, String), VecDeque<usize>> = HashMap::new();
        for (at, ((_, element), shared)) in known.iter().zip(&known_shared).enumerate() {
            if left[at] {
                free.entry(text(shared, element)).or_default().push_back(at);
            }
        }
        for (at, element) in elements.iter().enumerate() {
            let namesakes = free.get_mut(&text(&shared[at], element));
            let Some(namesakes) = namesakes.filter(|_| keys[at].is_none()) else {
                continue;
            };
            let mut found = namesakes.iter();
            let found = found.position(|of| alike || !veiled(known[*of].1, element));
            if let Some(of) = found.and_then(|found| namesakes.remove(found)) {
                keys[at] = Some(known[of].0.as_str());
                left[of] = false;
            }
        }
    }
    let known = known.iter().map(|(key, _)| key);
    let mut taken: HashSet<String> = known.chain(hidden).cloned().collect();
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut named = Vec::with_capacity(elements.len());
    for ((element, shared), key) in elements.iter().zip(&shared).zip(keys) {
        let key = match key {
            Some(key) => key.to_owned(),
            None => fresh(shared, &mut numbers, &mut taken),
        };
        named.push((key, element));
    }
    named
}

/// The key itself, or the first that a number makes of it which nobody has.
fn fresh<'k>(
    shared: &'k str,
    numbers: &mut HashMap<&'k str, u32>,
    taken: &mut HashSet<String>,
) -> String {
    let number = numbers.entry(shared).or_insert(0);
    loop {
        *number += 1;
        let key = match *number {
            1 => shared.to_owned(),
            number => format!("{shared}\u{1e}{number}"),
        };
        if taken.insert(key.clone()) {
            return key;
        }
    }
}
