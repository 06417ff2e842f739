//! Bulk requests (RFC 7644 §3.7): every operation has one turn, and after all references are put in place none is left.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use muster::scim::bulk::{self, Method};

fuzz_target!(|bytes: &[u8]| {
    let Ok(request) = bulk::parse(bytes, 20) else { return };
    assert!(request.operations.len() <= 20);
    for operation in &request.operations {
        let Ok(mut data) = operation.data() else { continue };
        let is_patch = operation.method == Some(Method::Patch);
        let put = |name: &str| Some(format!("id-{}", name.len()));
        bulk::resolve(is_patch, &mut data, &put);
        let left = std::cell::RefCell::new(BTreeSet::new());
        bulk::resolve(is_patch, &mut data, &|name| {
            left.borrow_mut().insert(name.to_owned());
            None
        });
        assert!(left.borrow().is_empty(), "{left:?} left in {data:?}");
    }
});
