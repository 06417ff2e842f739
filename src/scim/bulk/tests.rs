//! Tests of the bulk module.
