//! Files for others: banks, accountants, spreadsheets. Pure functions from data to bytes.

pub mod conservation;
pub mod csv_safety;
pub mod custody;
pub mod pain001;
pub mod worksheet;
