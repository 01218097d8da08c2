//! The conservation statement on paper (fr: état de conservation): what it was computed under, every account, every equality
//! with both sides, and room for who signs it.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "lengths on a sheet of paper are far from the ends of i32"
)]

use super::font::Font::{Bold, Regular};
use super::paper::{At, Ink, Paper, Style, mm};
use super::pdf::Document;
use crate::domain::account::Book;
use crate::domain::date::in_paris_to_the_second;
use crate::domain::money::Cents;
use crate::domain::statement::{Conservation, Equality, Side};
use std::io::{self, Write};

const LEFT: i32 = mm(20);
const RIGHT: i32 = mm(190);
const SPACE: i32 = RIGHT - LEFT;
/// Where amounts end; what follows says on which side they stand.
const AMOUNTS: i32 = mm(172);
const FIRST_LINE: i32 = mm(27);
const LAST_LINE: i32 = mm(268);
const LEADING: i32 = mm(5);

/// Writes the statement as PDF, as many A4 pages as it takes.
///
/// # Errors
/// Those of `out`.
pub fn write_statement(
    out: &mut impl Write,
    programme_name: &str,
    statement: &Conservation,
) -> io::Result<()> {
    let title = format!("État de conservation {}", statement.programme);
    let mut pages = Pages {
        document: Document::begin(out, &title)?,
        paper: Paper::page(),
        y: FIRST_LINE,
        number: 1,
    };
    pages.head(programme_name, statement);
    for (book, label) in [(Book::Pass, "Livre des pass"), (Book::Eur, "Livre des euros")] {
        pages.title(label)?;
        for line in statement.accounts.iter().filter(|line| line.book == book) {
            let holder = match (line.holder, &line.name) {
                (Some(number), Some(name)) => format!(", n°\u{a0}{number} {name}"),
                (Some(number), None) => format!(", n°\u{a0}{number}"),
                (None, _) => String::new(),
            };
            let side = if line.side == Side::Debit { "débit" } else { "crédit" };
            pages.line(
                &format!("{}{holder}", line.label),
                &shown(book, line.balance),
                side,
                false,
            )?;
        }
    }
    pages.title("Égalités")?;
    for equality in &statement.equalities {
        pages.equality(equality)?;
    }
    pages.signatures()?;
    pages.end()
}

/// The page being filled, and those before.
struct Pages<'w, W: Write> {
    document: Document<'w, W>,
    paper: Paper,
    y: i32,
    number: i32,
}

impl<W: Write> Pages<'_, W> {
    fn head(&mut self, programme_name: &str, statement: &Conservation) {
        self.paper.area(Ink::Blue, At(LEFT, mm(18)), SPACE, mm(2));
        let bold = Style::new(Bold, 110);
        self.paper.paragraph(bold, At(LEFT, self.y), SPACE, 1, programme_name);
        self.y = self.paper.paragraph(
            Style::new(Bold, 180),
            At(LEFT, mm(40)),
            SPACE,
            1,
            "État de conservation",
        );
        let as_of =
            format!("Arrêté au {} (heure de Paris)", in_paris_to_the_second(statement.as_of));
        self.y = self.paper.paragraph(Style::new(Regular, 110), At(LEFT, self.y), SPACE, 1, &as_of);
        let under = match statement.head {
            Some(head) => format!(
                "Calculé sous la tête du journal public de taille {}, racine {} ; écritures comptées ici et pas encore sous cette tête : {}.",
                head.size, head.root, statement.entries_past_head
            ),
            None => "Calculé avant toute tête signée du journal public.".to_owned(),
        };
        let grey = Style::new(Regular, 90).in_ink(Ink::Grey);
        self.y = self.paper.paragraph(grey, At(LEFT, self.y + mm(1)), SPACE, 3, &under);
        let verdict = if statement.every_equality_holds {
            "Toutes les égalités sont vérifiées."
        } else {
            "UNE ÉGALITÉ AU MOINS N'EST PAS VÉRIFIÉE."
        };
        self.y = self.paper.paragraph(bold, At(LEFT, self.y + mm(2)), SPACE, 1, verdict);
    }

    fn title(&mut self, text: &str) -> io::Result<()> {
        self.room(4 * LEADING)?;
        self.y += LEADING;
        self.paper.paragraph(Style::new(Bold, 120), At(LEFT, self.y), SPACE, 1, text);
        self.y += mm(2);
        self.paper.line(Ink::Hairline, At(LEFT, self.y), At(RIGHT, self.y), false);
        self.y += LEADING;
        Ok(())
    }

    fn line(&mut self, label: &str, amount: &str, note: &str, is_bold: bool) -> io::Result<()> {
        self.room(LEADING)?;
        let style = Style::new(if is_bold { Bold } else { Regular }, 90);
        self.paper.paragraph(style, At(LEFT, self.y), AMOUNTS - LEFT - mm(38), 1, label);
        self.paper.text_to(style, At(AMOUNTS, self.y), mm(36), amount);
        self.paper.text_to(style.in_ink(Ink::Grey), At(RIGHT, self.y), mm(16), note);
        self.y += LEADING;
        Ok(())
    }

    fn equality(&mut self, equality: &Equality) -> io::Result<()> {
        self.room(6 * LEADING)?;
        let amount = |n: i64| shown(equality.book, n);
        self.paper.paragraph(Style::new(Bold, 95), At(LEFT, self.y), SPACE, 1, equality.rule);
        self.y += LEADING;
        self.line(&equality.left.label, &amount(equality.left.amount), "", false)?;
        for term in &equality.right {
            self.line(&format!("    {}", term.label), &amount(term.amount), "", false)?;
        }
        self.line("    somme", &amount(equality.right_sum), "", false)?;
        self.line("écart", &amount(equality.difference), "", true)?;
        self.y += mm(3);
        Ok(())
    }

    fn signatures(&mut self) -> io::Result<()> {
        self.room(mm(40))?;
        let small = Style::new(Regular, 90);
        for (signer, x) in [("L'auditeur, le", LEFT), ("L'émetteur, le", LEFT + mm(90))] {
            self.paper.paragraph(small, At(x, self.y + mm(6)), mm(70), 1, signer);
            let bottom = self.y + mm(30);
            self.paper.line(Ink::Black, At(x, bottom), At(x + mm(70), bottom), true);
        }
        Ok(())
    }

    /// Goes on overleaf when there is no room for so much.
    fn room(&mut self, height: i32) -> io::Result<()> {
        if self.y + height <= LAST_LINE {
            return Ok(());
        }
        self.foot();
        let full = std::mem::replace(&mut self.paper, Paper::page());
        self.document.page(full)?;
        (self.y, self.number) = (FIRST_LINE, self.number + 1);
        Ok(())
    }

    fn foot(&mut self) {
        let page = format!("Page {}", self.number);
        let grey = Style::new(Regular, 80).in_ink(Ink::Grey);
        self.paper.text_to(grey, At(RIGHT, mm(285)), mm(40), &page);
    }

    fn end(mut self) -> io::Result<()> {
        self.foot();
        self.document.page(self.paper)?;
        self.document.finish()
    }
}

/// A figure of that book. The fonts of papers have no narrow space between thousands, so a wide one stands there.
fn shown(book: Book, amount: i64) -> String {
    let euros = |cents: i64| Cents(cents).to_string().replace('\u{202f}', "\u{a0}");
    match book {
        Book::Eur => euros(amount),
        // Grouped as euros are, without the cents.
        Book::Pass => {
            euros(amount.saturating_mul(100)).split(',').next().unwrap_or_default().to_owned()
        }
    }
}
