//! The one error of every domain type that parses a text.

/// A value does not have the shape its type asks for. The French sentence names the rule and gives
/// an example, so that the door can show it beside the field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);
