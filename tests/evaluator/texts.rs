//! Texts that comparisons stumble over: case beyond ASCII, combining marks, wildcards, quotes, and long ones that share
//! their beginning.

use proptest::prelude::*;

const ATOMS: [&str; 34] = [
    "a", "A", "b", "Z", "0", "ß", "ss", "SS", "İ", "i\u{307}", "ı", "I", "Σ", "σ", "ς", "é",
    "e\u{301}", "É", "\u{345}", "ﬁ", "ǆ", "ǅ", "\u{212a}", "k", "%", "_", "\\", "'", "\"", " ",
    "*", "?", "😀", "\u{d7ff}",
];

/// Few and short, so that values and needles meet.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::collection::vec(prop::sample::select(&ATOMS[..]), 1..4).prop_map(|atoms| atoms.concat()),
        1 => Just(String::new()),
        1 => Just("\u{10ffff}\u{10ffff}".to_owned()),
        2 => long(),
    ]
}

/// Around the 256 bytes that an index keeps, the cut within characters of every width.
fn long() -> impl Strategy<Value = String> {
    let tail = prop::collection::vec(prop::sample::select(&ATOMS[..]), 0..3);
    (250_usize..262, tail).prop_map(|(length, tail)| "x".repeat(length) + &tail.concat())
}

/// One instant in several spellings, and its neighbors.
pub(crate) fn dateish() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "2026-11-22T14:59:13Z",
        "2026-11-22T15:59:13+01:00",
        "2026-11-22T14:59:13.000001Z",
        "2026-11-22T14:59:13.1-05:30",
        "2026-11-22T14:59:13.100000",
        "1969-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "2026-11-22T24:00:00Z",
    ])
    .prop_map(str::to_owned)
}

/// Whole numbers, the extremes among them.
pub(crate) fn number() -> impl Strategy<Value = i64> {
    prop::sample::select(vec![
        0,
        1,
        -1,
        9,
        10,
        -10,
        255,
        256,
        i64::MAX,
        i64::MIN,
        i64::MIN + 1,
    ])
}
