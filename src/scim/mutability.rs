//! mutability
