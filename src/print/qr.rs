//! QR codes with a fixed mask.
//!
//! The standard (ISO/IEC 18004) asks an encoder to try eight masks and keep the one that looks
//! most even; a reader accepts any. The search is nine tenths of the time of printing an order, and
//! our contents are random enough that any mask is even: we always take the first.

use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::{Color, EcLevel, QrResult, bits, ec};

/// Blank modules that a reader needs around the symbol (ISO/IEC 18004).
pub(super) const QUIET_ZONE: i32 = 4;

/// The modules of a symbol, row by row; no quiet zone.
pub(super) struct Qr {
    pub width: i32,
    modules: Vec<Color>,
}

impl Qr {
    /// Encodes at level M: 15 % of the symbol may be dirty, torn or folded.
    ///
    /// # Errors
    /// More than 2,331 bytes.
    pub fn encode(content: &str) -> QrResult<Self> {
        let level = EcLevel::M;
        let bits = bits::encode_auto(content.as_bytes(), level)?;
        let version = bits.version();
        let (data, correction) = ec::construct_codewords(&bits.into_bytes(), version, level)?;
        let mut canvas = Canvas::new(version, level);
        canvas.draw_all_functional_patterns();
        canvas.draw_data(&data, &correction);
        canvas.apply_mask(MaskPattern::Checkerboard);
        Ok(Self { width: version.width().into(), modules: canvas.into_colors() })
    }

    /// The dark runs as `[x, y, length]`, in modules.
    pub fn runs(&self) -> impl Iterator<Item = [i32; 3]> {
        let width = usize::try_from(self.width).unwrap_or(1);
        (0..).zip(self.modules.chunks(width)).flat_map(|(y, row)| {
            let mut x = 0_i32;
            row.chunk_by(|left, right| left == right).filter_map(move |run| {
                let length = i32::try_from(run.len()).unwrap_or_default();
                let start = x;
                x = x.saturating_add(length);
                run.first().is_some_and(|color| *color == Color::Dark).then_some([start, y, length])
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a reader makes of the symbol, from its runs alone: as printed, six pixels per module.
    fn scan(qr: &Qr) -> String {
        let (scale, quiet) = (6, usize::try_from(QUIET_ZONE).unwrap());
        let width = usize::try_from(qr.width).unwrap();
        let mut dark = vec![vec![false; width]; width];
        for run in qr.runs() {
            let [x, y, length] = run.map(|n| usize::try_from(n).unwrap());
            dark[y][x..x.checked_add(length).unwrap()].fill(true);
        }
        let at = |pixel: usize| pixel.checked_div(scale)?.checked_sub(quiet);
        let side = scale.checked_mul(quiet.checked_mul(2).unwrap().checked_add(width).unwrap());
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(side.unwrap(), side.unwrap(), |x, y| {
                let module = at(y).zip(at(x)).and_then(|(y, x)| dark.get(y)?.get(x));
                if module == Some(&true) { 0 } else { 255 }
            });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one symbol is seen");
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_typical_content_gives_a_small_symbol() {
        let content = "https://pass.example.fr/p#HDF-0412733.7K3M9QXW2H4T8N5PC";
        let qr = Qr::encode(content).unwrap();
        assert_eq!(qr.width, 33);
        assert_eq!(scan(&qr), content);
    }

    #[test]
    fn a_content_too_long_for_any_symbol_is_refused() {
        assert!(Qr::encode(&"é".repeat(1166)).is_err());
    }

    proptest! {
        // Finding a symbol in an image takes long in an unoptimised build.
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_code_is_scanned_as_it_was_written(number in 0..10_000_000_u32, code in "[0-9A-HJKMNP-TV-Z]{16,24}") {
            let content = format!("https://pass.example.fr/p#HDF-{number:07}.{code}");
            prop_assert_eq!(scan(&Qr::encode(&content).unwrap()), content);
        }

        #[test]
        fn any_text_is_scanned_as_it_was_written(content in "[ -~é€]{1,180}") {
            prop_assert_eq!(scan(&Qr::encode(&content).unwrap()), content);
        }
    }
}
