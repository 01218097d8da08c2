//! The values of cells: days, degrees, lists, yes and no.

use chrono::{Datelike, NaiveDate};

use super::Coordinates;
use super::remark::Remark;
use crate::domain::commune::Department;
use crate::domain::folding::fold;

/// The day that opens the text: `2022-05-02`, `02/05/2022`, either followed by an hour. Days
/// outside this century are slips of the pen.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let date = ["%Y-%m-%d", "%d/%m/%Y"]
        .iter()
        .find_map(|form| NaiveDate::parse_from_str(day, form).ok())?;
    (2000..2100).contains(&date.year()).then_some(date)
}

/// Yes, no, or neither.
pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match fold(text).as_str() {
        "OUI" | "TRUE" | "VRAI" | "1" | "ITINERANT" => Some(true),
        "" | "NON" | "FALSE" | "FAUX" | "0" | "FIXE" => Some(false),
        _ => None,
    }
}

/// The items of a list, `|` between them (generation 1) or `;` (generation 0): no label holds
/// either.
pub(super) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(['|', ';']).map(str::trim).filter(|item| !item.is_empty())
}

/// Whether a text about labels, fees or conditions says that the pass numérique is taken: it names
/// the pass or APTIC, its national label, without denying it.
pub(super) fn takes_the_pass(text: &str) -> bool {
    items(text).any(|item| {
        let folded = fold(item);
        let words: Vec<&str> = folded.split(' ').collect();
        let named =
            words.contains(&"APTIC") || words.windows(2).any(|pair| pair == ["PASS", "NUMERIQUE"]);
        named && !words.iter().any(|word| matches!(*word, "NE" | "N" | "NON" | "PAS" | "REFUSE"))
    })
}

/// Millionths of a degree, rounded: what six decimals of a degree can tell (11 cm).
const MICRO: i64 = 1_000_000;

/// Reads a point, or says what is wrong with it. Two empty texts are no point and nothing wrong.
pub(super) fn point(
    latitude: &str,
    longitude: &str,
    department: Department,
) -> Result<Option<Point>, Remark> {
    if latitude.is_empty() && longitude.is_empty() {
        return Ok(None);
    }
    let (Some(latitude), Some(longitude)) = (micro(latitude), micro(longitude)) else {
        return Err(Remark::CoordinatesInvalid);
    };
    if latitude.abs().max(longitude.abs()) > 180 * MICRO {
        return Err(Remark::CoordinatesNotDegrees);
    }
    let at = |north, east| {
        coordinates(north, east).filter(|_| department.is_overseas() || is_in_france(north, east))
    };
    let swapped = || at(longitude, latitude).filter(|_| !department.is_overseas());
    match (at(latitude, longitude), swapped()) {
        (Some(coordinates), _) => Ok(Some(Point { coordinates, swapped: false })),
        (None, Some(coordinates)) => Ok(Some(Point { coordinates, swapped: true })),
        (None, None) => Err(Remark::CoordinatesOutside),
    }
}

/// A point, and whether its two numbers were in each other's column.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) coordinates: Coordinates,
    pub(super) swapped: bool,
}

fn coordinates(north: i64, east: i64) -> Option<Coordinates> {
    Some(Coordinates {
        latitude_microdegrees: i32::try_from(north)
            .ok()
            .filter(|north| north.abs() <= 90_000_000)?,
        longitude_microdegrees: i32::try_from(east).ok()?,
    })
}

/// The box around metropolitan France and Corsica; its two ranges don't meet, so that a swap shows.
fn is_in_france(north: i64, east: i64) -> bool {
    (41_000_000..51_500_000).contains(&north) && (-5_500_000..10_000_000).contains(&east)
}

/// A decimal number, `.` or `,` before its decimals, in millionths, rounded half away from zero.
fn micro(text: &str) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let all_digits = whole.bytes().chain(decimals.bytes()).all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || !all_digits {
        return None;
    }
    let kept: String = decimals.chars().chain(std::iter::repeat('0')).take(6).collect();
    let round_up = i64::from(decimals.as_bytes().get(6).is_some_and(|digit| *digit >= b'5'));
    let micro = whole.parse::<i64>().ok()?.checked_mul(MICRO)?;
    let micro = micro.checked_add(kept.parse().ok()?)?.checked_add(round_up)?;
    if negative { micro.checked_neg() } else { Some(micro) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(latitude: &str, longitude: &str) -> Result<Option<Point>, Remark> {
        point(latitude, longitude, "59".parse().unwrap())
    }

    fn at(latitude_microdegrees: i32, longitude_microdegrees: i32, swapped: bool) -> Point {
        let coordinates = Coordinates { latitude_microdegrees, longitude_microdegrees };
        Point { coordinates, swapped }
    }

    #[test]
    fn the_three_ways_of_writing_a_day_are_read() {
        let expected = NaiveDate::from_ymd_opt(2021, 6, 7);
        for text in ["2021-06-07", "07/06/2021", "07/06/2021 10:34:57", "2021-06-07T10:34:57Z"] {
            assert_eq!(day(text), expected, "{text}");
        }
        for text in
            ["", "32/01/2021", "07/06/21", "1899-12-30", "9999-12-31", "+262142-12-31", "hier"]
        {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn degrees_become_millionths_rounded() {
        assert_eq!(read("50.0171234", "3.0000005"), Ok(Some(at(50_017_123, 3_000_001, false))));
        assert_eq!(read("50,5", "-1"), Ok(Some(at(50_500_000, -1_000_000, false))));
        assert_eq!(read("50.017127", "4.1"), Ok(Some(at(50_017_127, 4_100_000, false))));
        assert_eq!(read("", ""), Ok(None));
    }

    #[test]
    fn doubtful_points_are_put_right_or_left_out() {
        assert_eq!(read("3.05", "50.6"), Ok(Some(at(50_600_000, 3_050_000, true))));
        assert_eq!(read("7059000.5", "704000"), Err(Remark::CoordinatesNotDegrees));
        assert_eq!(read("0", "0"), Err(Remark::CoordinatesOutside));
        for (latitude, longitude) in [
            ("50.6", ""),
            ("1e2", "3"),
            ("NaN", "3"),
            (".5", "3"),
            ("--1", "3"),
            ("9999999999", "3"),
        ] {
            assert_eq!(
                read(latitude, longitude),
                Err(Remark::CoordinatesInvalid),
                "{latitude} {longitude}"
            );
        }
        let reunion = point("-20.9", "55.5", "974".parse().unwrap());
        assert_eq!(reunion, Ok(Some(at(-20_900_000, 55_500_000, false))));
        assert_eq!(point("95", "100", "974".parse().unwrap()), Err(Remark::CoordinatesOutside));
    }

    #[test]
    fn the_pass_is_found_wherever_files_hide_it() {
        for text in [
            "Payant : L’accès est payant;Accepte le Pass numérique : Il est possible d'utiliser un Pass numérique",
            "CNFS;APTIC",
            "SUD LABS,FABRIQUE DE TERRITOIRE,APTIC",
            "Gratuit,\"Agrée Pass Numérique (APTIC ou autres)",
            "Label local|Accepte le pass numérique",
        ] {
            assert!(takes_the_pass(text), "{text}");
        }
        for text in ["", "Gratuit", "N’accepte pas le pass numérique", "Pass culture", "Inaptic"]
        {
            assert!(!takes_the_pass(text), "{text}");
        }
    }

    #[test]
    fn yes_and_no_are_read_in_both_languages() {
        assert_eq!([yes_or_no("Oui"), yes_or_no("true"), yes_or_no("Itinérant")], [Some(true); 3]);
        assert_eq!([yes_or_no("non"), yes_or_no(""), yes_or_no("0")], [Some(false); 3]);
        assert_eq!(yes_or_no("parfois"), None);
    }
}
