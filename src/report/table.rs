//! The table of every page: it scrolls sideways, and each column and row has a heading.

use maud::{Markup, Render, html};

/// A table, built column by column and then row by row.
pub(super) struct Table {
    label: String,
    columns: Vec<Column>,
    bodies: Vec<Vec<Vec<Cell>>>,
    foot: Vec<Vec<Cell>>,
}

struct Column {
    heading: Markup,
    /// Numbers stand to the right.
    numeric: bool,
}

/// One cell of a row.
pub(super) struct Cell {
    content: Markup,
    open: bool,
    /// Whether it says nothing. Columns of such cells are left out of comparisons, which need studies.
    #[cfg_attr(not(feature = "listen"), allow(dead_code))]
    missing: bool,
    wraps: bool,
    rows: usize,
}

impl Cell {
    pub(super) fn new(content: impl Render) -> Self {
        Self { content: content.render(), open: false, missing: false, wraps: false, rows: 1 }
    }

    /// A cell for a number that does not exist.
    pub(super) fn missing() -> Self {
        Self { missing: true, ..Self::new("–").open_if(true) }
    }

    /// A cell without content, as in a foot.
    pub(super) fn empty() -> Self {
        Self::new("")
    }

    /// Greys the cell: what it counts did not happen, or was not measured.
    pub(super) fn open_if(mut self, open: bool) -> Self {
        self.open = open;
        self
    }

    /// Lets the text break into lines.
    #[cfg(feature = "listen")]
    pub(super) fn wrapping(mut self) -> Self {
        self.wraps = true;
        self
    }

    /// Spans this and the next `rows` - 1 rows, which then leave it out. Only the first cells of a
    /// row can span.
    #[cfg(feature = "listen")]
    pub(super) fn spanning(mut self, rows: usize) -> Self {
        self.rows = rows;
        self
    }

    fn class(&self, numeric: bool) -> Option<String> {
        let classes = [(numeric, "n"), (self.open, "open"), (self.wraps, "wrap")];
        let classes: Vec<&str> =
            classes.iter().filter(|class| class.0).map(|class| class.1).collect();
        (!classes.is_empty()).then(|| classes.join(" "))
    }
}

impl Table {
    /// An empty table; `label` names it to a screen reader, and no other table of the page has it.
    pub(super) fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), columns: Vec::new(), bodies: Vec::new(), foot: Vec::new() }
    }

    /// Adds columns of text.
    pub(super) fn texts<H: Render>(self, headings: impl IntoIterator<Item = H>) -> Self {
        self.columns(headings, false)
    }

    /// Adds columns of numbers.
    pub(super) fn numbers<H: Render>(self, headings: impl IntoIterator<Item = H>) -> Self {
        self.columns(headings, true)
    }

    fn columns<H: Render>(mut self, headings: impl IntoIterator<Item = H>, numeric: bool) -> Self {
        let columns = headings.into_iter().map(|h| Column { heading: h.render(), numeric });
        self.columns.extend(columns);
        self
    }

    /// Adds rows that belong together. The first cell of a row is its heading.
    pub(super) fn rows(mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        self.bodies.push(rows.into_iter().collect());
        self
    }

    /// Adds a row to the foot.
    pub(super) fn foot(mut self, row: Vec<Cell>) -> Self {
        self.foot.push(row);
        self
    }

    /// Leaves out columns of numbers in which no row has one.
    #[cfg(feature = "listen")]
    pub(super) fn without_empty_columns(mut self) -> Self {
        let columns = self.columns.len();
        let mut kept: Vec<bool> = self.columns.iter().map(|column| !column.numeric).collect();
        for row in self.bodies.iter().flatten().chain(&self.foot) {
            // Cells that a row above spans are the first columns.
            for (cell, kept) in row.iter().zip(&mut kept[columns.saturating_sub(row.len())..]) {
                *kept |= !cell.missing;
            }
        }
        for row in self.bodies.iter_mut().flatten().chain(&mut self.foot) {
            let mut kept = kept[columns.saturating_sub(row.len())..].iter();
            row.retain(|_| kept.next() != Some(&false));
        }
        let mut kept = kept.iter();
        self.columns.retain(|_| kept.next() != Some(&false));
        self
    }

    fn row(&self, cells: &[Cell]) -> Markup {
        // Cells that a row above spans are the first columns.
        let spanned = self.columns.len().saturating_sub(cells.len());
        html! {
            tr {
                @for (place, (cell, column)) in cells.iter().zip(&self.columns[spanned..]).enumerate() {
                    @let class = cell.class(column.numeric);
                    @let rows = (cell.rows > 1).then_some(cell.rows);
                    @if place == 0 && spanned == 0 {
                        @let scope = if cell.rows > 1 { "rowgroup" } else { "row" };
                        th class=[class] scope=(scope) rowspan=[rows] { (cell.content) }
                    } @else {
                        td class=[class] rowspan=[rows] { (cell.content) }
                    }
                }
            }
        }
    }
}

impl Render for Table {
    fn render(&self) -> Markup {
        html! {
            div.scroll tabindex="0" role="region" aria-label=(self.label) {
                table.plain {
                    thead {
                        tr {
                            @for column in &self.columns {
                                th class=[column.numeric.then_some("n")] scope="col" { (column.heading) }
                            }
                        }
                    }
                    @for body in &self.bodies {
                        tbody { @for row in body { (self.row(row)) } }
                    }
                    @if !self.foot.is_empty() {
                        tfoot { @for row in &self.foot { (self.row(row)) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_alignment_and_spans_are_in_their_columns() {
        let table = Table::new("Numbers")
            .texts(["Name"])
            .numbers(["First", "Second"])
            .rows([
                vec![Cell::new("<a>").spanning(2), Cell::new(1), Cell::missing()],
                vec![Cell::new(2), Cell::new(3)],
            ])
            .rows([vec![Cell::new("b"), Cell::new("x").wrapping(), Cell::empty()]])
            .foot(vec![Cell::new("Sum"), Cell::new(4), Cell::empty()]);
        let expected = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Numbers\">\
            <table class=\"plain\"><thead><tr><th scope=\"col\">Name</th>\
            <th class=\"n\" scope=\"col\">First</th><th class=\"n\" scope=\"col\">Second</th></tr></thead>\
            <tbody><tr><th scope=\"rowgroup\" rowspan=\"2\">&lt;a&gt;</th><td class=\"n\">1</td>\
            <td class=\"n open\">–</td></tr><tr><td class=\"n\">2</td><td class=\"n\">3</td></tr></tbody>\
            <tbody><tr><th scope=\"row\">b</th><td class=\"n wrap\">x</td><td class=\"n\"></td></tr></tbody>\
            <tfoot><tr><th scope=\"row\">Sum</th><td class=\"n\">4</td><td class=\"n\"></td></tr></tfoot>\
            </table></div>";
        assert_eq!(table.render().into_string(), expected);
    }

    #[test]
    #[cfg(feature = "listen")]
    fn columns_without_a_number_are_left_out() {
        let table =
            Table::new("Numbers").texts(["Name"]).numbers(["First", "Second", "Third"]).rows([
                vec![Cell::new("a").spanning(2), Cell::new(1), Cell::missing(), Cell::missing()],
                vec![Cell::missing(), Cell::missing(), Cell::new(3)],
            ]);
        let drawn = table.without_empty_columns().render().into_string();
        assert!(drawn.contains("First") && drawn.contains("Third") && !drawn.contains("Second"));
        assert_eq!(drawn.matches("<td").count(), 4);
    }
}
