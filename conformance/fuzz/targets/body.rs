//! Bodies: strict JSON, then a resource (RFC 7643 §2). What was taken is taken again as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster::scim::json;
use muster::scim::profile::Profile;
use muster::scim::receive::{Purpose, receive};
use muster_fuzz::{GROUP, USER, assert_settled};

fuzz_target!(|bytes: &[u8]| {
    let Ok(body) = json::object(bytes) else { return };
    let text = serde_json::to_vec(&body).expect("an object is JSON");
    assert_eq!(json::object(&text).as_ref(), Ok(&body), "JSON written and read again");
    for ty in [&*USER, &*GROUP] {
        for profile in Profile::ALL {
            if let Ok(received) = receive(ty, body.clone(), Purpose::Create, profile) {
                assert_settled(ty, &received.document);
            }
        }
    }
});
