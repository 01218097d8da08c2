//! The `souche` command.

fn main() {}
