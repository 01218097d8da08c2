//! Files for others: banks, accountants, spreadsheets. Pure functions from data to bytes.

pub mod csv_safety;
pub mod pain001;
