//! Census warnings: the parameters that raise them, the query of those that no one has answered, and
//! their overrides.

mod parameters;

pub(super) use parameters::{LIST, Parameter, ParameterTable};
