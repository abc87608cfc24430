//! What the budgets and the kernels share: made-up data, the same in every run.

pub mod data;
pub mod host;
