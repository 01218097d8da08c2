//! A PDF file written as it is made: each object goes out at once, only its offset is kept.
//!
//! `pdf-writer` builds the objects; its own `Pdf` would hold the whole file in memory. Objects
//! carry no date and no random id, so the same pages give the same bytes.

use super::font::Font;
use super::paper::Paper;
use pdf_writer::writers::{Catalog, DocumentInfo, Resources};
use pdf_writer::{Chunk, Finish, Name, Rect, Ref, Settings, TextStr};
use std::io::{self, Write};

const CATALOG: Ref = Ref::new(1);
const PAGE_TREE: Ref = Ref::new(2);
const INFO: Ref = Ref::new(3);
const FORM: Ref = Ref::new(4);
const FONTS: [(Font, Ref); 3] =
    [(Font::Regular, Ref::new(5)), (Font::Bold, Ref::new(6)), (Font::Fixed, Ref::new(7))];
const FIRST_PAGE: Ref = Ref::new(8);

/// Binary bytes in the second line tell file transfers that this is no text (ISO 32000-1 §7.5.2).
const HEADER: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";

/// A4 in points.
const A4: [f32; 4] = [0.0, 0.0, 595.276, 841.89];

/// The name under which pages paint what they have in common.
pub(super) const FORM_NAME: Name<'static> = Name(b"M");

/// No padding between tokens: a third of the size of a page.
pub(super) const COMPACT: Settings = Settings { pretty: false };

/// A file being written. Holds offsets only, 40 bytes per page.
pub(super) struct Document<'w, W: Write> {
    out: &'w mut W,
    written: usize,
    offsets: Vec<(Ref, usize)>,
    pages: Vec<Ref>,
    next: Ref,
}

impl<'w, W: Write> Document<'w, W> {
    /// Begins a French document of A4 pages.
    pub fn begin(out: &'w mut W, title: &str) -> io::Result<Self> {
        out.write_all(HEADER)?;
        let (offsets, pages) = (Vec::new(), Vec::new());
        let mut document = Self { out, written: HEADER.len(), offsets, pages, next: FIRST_PAGE };
        document.object(CATALOG, |chunk| {
            let mut catalog: Catalog<'_> = chunk.indirect(CATALOG).start();
            catalog.pages(PAGE_TREE).lang(TextStr("fr-FR"));
            catalog.viewer_preferences().display_doc_title(true);
        })?;
        document.object(INFO, |chunk| {
            chunk.indirect(INFO).start::<DocumentInfo<'_>>().title(TextStr(title));
        })?;
        for (font, id) in FONTS {
            document.object(id, |chunk| {
                let mut entry = chunk.type1_font(id);
                entry.base_font(font.base()).encoding_predefined(Name(b"WinAnsiEncoding"));
            })?;
        }
        Ok(document)
    }

    /// Writes once what many pages paint with [`Paper::form`]; what leaves `clip` (left, top, right,
    /// bottom) is not painted.
    pub fn form(&mut self, form: Paper, clip: [i16; 4]) -> io::Result<()> {
        let content = form.into_bytes();
        self.object(FORM, |chunk| {
            let mut entry = chunk.form_xobject(FORM, &content);
            let [left, top, right, bottom] = clip.map(f32::from);
            entry.bbox(Rect::new(left, top, right, bottom));
            fonts(entry.resources());
        })
    }

    /// Writes one page.
    pub fn page(&mut self, paper: Paper) -> io::Result<()> {
        let (content, page) = (self.next.bump(), self.next.bump());
        let bytes = paper.into_bytes();
        self.object(content, |chunk| drop(chunk.stream(content, &bytes)))?;
        self.object(page, |chunk| {
            chunk.page(page).parent(PAGE_TREE).contents(content);
        })?;
        self.pages.push(page);
        Ok(())
    }

    /// Writes what needs to know all pages: their tree, the table of offsets, the end.
    pub fn finish(mut self) -> io::Result<()> {
        let pages = std::mem::take(&mut self.pages);
        let with_form = self.offsets.iter().any(|(id, _)| *id == FORM);
        let count = i32::try_from(pages.len()).map_err(io::Error::other)?;
        self.object(PAGE_TREE, |chunk| {
            let mut tree = chunk.pages(PAGE_TREE);
            tree.kids(pages).count(count);
            let [left, bottom, right, top] = A4;
            tree.media_box(Rect::new(left, bottom, right, top));
            let mut resources = tree.resources();
            if with_form {
                resources.x_objects().pair(FORM_NAME, FORM);
            }
            fonts(resources);
        })?;
        self.table()
    }

    /// The cross-reference table (ISO 32000-1 §7.5.4) and the trailer.
    fn table(mut self) -> io::Result<()> {
        self.offsets.sort_unstable();
        let size = self.next.get();
        write!(self.out, "xref\n0 1\n0000000000 65535 f\r\n")?;
        for run in self.offsets.chunk_by(|(left, _), (right, _)| left.next() == *right) {
            let first = run.first().map_or(0, |(id, _)| id.get());
            writeln!(self.out, "{first} {}", run.len())?;
            for (_, offset) in run {
                write!(self.out, "{offset:010} 00000 n\r\n")?;
            }
        }
        let (root, info, at) = (CATALOG.get(), INFO.get(), self.written);
        write!(self.out, "trailer\n<</Size {size}/Root {root} 0 R/Info {info} 0 R>>\n")?;
        write!(self.out, "startxref\n{at}\n%%EOF\n")?;
        self.out.flush()
    }

    fn object(&mut self, id: Ref, build: impl FnOnce(&mut Chunk)) -> io::Result<()> {
        let mut chunk = Chunk::with_settings(COMPACT);
        build(&mut chunk);
        self.offsets.push((id, self.written));
        self.written = self.written.saturating_add(chunk.len());
        self.out.write_all(chunk.as_bytes())
    }
}

fn fonts(mut resources: Resources<'_>) {
    let mut dictionary = resources.fonts();
    for (font, id) in FONTS {
        dictionary.pair(font.name(), id);
    }
    dictionary.finish();
}
