//! FEBRL's public sets, without the identifier, as a gate: everybody reaches nearly all there (matching.md).

use std::path::{Path, PathBuf};

use muster::cli::resolve::records::read;
use muster::cli::resolve::scorecard::Scorecard;
use muster::cli::resolve::{Calibrated, fit};
use muster::domain::matching::Model;

fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("febrl");
    let file = folder.join(name);
    assert!(
        file.exists(),
        "{} is missing: tests/run fetches it",
        file.display()
    );
    file
}

/// F1 of pairs with a probability of 0.9 or more, by a model fitted without labels.
fn f1(files: &[&str]) -> f64 {
    let files: Vec<PathBuf> = files.iter().map(|name| file(name)).collect();
    let records = read(&files).unwrap();
    let model = fit(
        &records,
        Model::builtin().scorer().unwrap(),
        "febrl",
        Calibrated::Independent,
    )
    .unwrap();
    let found = Scorecard::of(&records, &model.scorer().unwrap(), files.len());
    found.value("FEBRL without the id: F1 of pairs").unwrap()
}

/// The target is .998.
#[test]
fn febrl3_is_searched_for_duplicates() {
    let f1 = f1(&["dataset3.csv"]);
    assert!(f1 >= 0.987, "{f1}");
}

/// The target is .9995.
#[test]
fn febrl4_is_linked() {
    let f1 = f1(&["dataset4a.csv", "dataset4b.csv"]);
    assert!(f1 >= 0.994, "{f1}");
}
