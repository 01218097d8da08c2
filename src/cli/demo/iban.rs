//! Invented bank accounts: right by their keys, wrong by their bank.

use crate::domain::bank::Iban;

/// A bank and a branch that nobody has: no transfer to it can arrive anywhere.
const BANK_AND_BRANCH: &str = "9999999999";

/// The French account of that number at no bank, with both its keys computed (clé RIB, and the key of
/// ISO 13616: each the complement to 97 of a remainder by 97).
pub fn invented(account: u64) -> anyhow::Result<Iban> {
    let account = account % 100_000_000_000;
    let stem = format!("{BANK_AND_BRANCH}{account:011}");
    let rib_key = 97_u32.saturating_sub(remainder(&format!("{stem}00")));
    let bban = format!("{stem}{rib_key:02}");
    // F is 15 and R is 27.
    let key = 98_u32.saturating_sub(remainder(&format!("{bban}152700")));
    Ok(format!("FR{key:02}{bban}").parse()?)
}

/// A number of any length, modulo 97.
fn remainder(digits: &str) -> u32 {
    digits
        .chars()
        .filter_map(|c| c.to_digit(10))
        .fold(0, |rest: u32, digit| rest.wrapping_mul(10).wrapping_add(digit) % 97)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invented_account_is_one_that_the_service_takes_and_no_bank_has() {
        for account in (0..2_000).chain([u64::MAX, 99_999_999_999]) {
            let iban = invented(account).unwrap();
            assert!(iban.as_str()[4..].starts_with("99999"), "{iban}");
            assert_eq!(remainder(&iban.as_str()[4..]), 0, "the RIB key of {iban}");
        }
    }
}
