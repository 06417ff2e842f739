//! No oracle.
