//! Attribute paths and the paths of PATCH (RFC 7644 §3.5.2 and §3.10): printed and read again they mean the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster::scim::attribute_path::AttributePath;
use muster::scim::error::Kind;
use muster::scim::patch::PatchPath;
use muster::scim::profile::Profile;
use muster_fuzz::{GROUP, USER};

fuzz_target!(|text: &str| {
    for profile in Profile::ALL {
        if let Ok(path) = PatchPath::parse(text, profile) {
            let printed = path.to_string();
            let again = PatchPath::parse(&printed, profile);
            assert_eq!(again.as_ref(), Ok(&path), "{text} was printed as {printed}");
        }
    }
    let Ok(path) = AttributePath::parse(text, Kind::InvalidPath) else { return };
    for ty in [&*USER, &*GROUP] {
        let Some(resolved) = ty.resolve(&path) else { continue };
        let canonical = resolved.location.to_string();
        let again = AttributePath::parse(&canonical, Kind::InvalidPath).expect("a location is a path");
        let again = ty.resolve(&again).expect("a location is there");
        assert_eq!(again.location, resolved.location, "{text} means {canonical}");
    }
});
