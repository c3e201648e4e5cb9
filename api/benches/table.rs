//! The table of results: one line per case, printed as soon as it is measured.

/// A figure and its comparison value.
pub struct Row<'a> {
    pub name: &'a str,
    pub figure: f64,
    /// The figure without our program; `None` if there is nothing to compare with.
    pub floor: Option<f64>,
    pub unit: &'a str,
    pub target: Target,
}

/// The bound for a figure.
#[derive(Clone, Copy)]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// No target is set.
    None,
}

/// The table, printed line by line.
pub struct Table {
    is_fine: bool,
}

impl Table {
    /// Prints the column titles.
    pub fn new() -> Self {
        println!("{:<46} {:>10} {:>10} {:>7}  {:<12} {:<12}", "", "figure", "floor", "ratio", "unit", "target");
        Self { is_fine: true }
    }

    /// Prints a line with its verdict.
    pub fn add(&mut self, row: Row<'_>) {
        let Row { name, figure, floor, unit, target } = row;
        let (words, is_ok) = match target {
            Target::AtMost(most) => (format!("<= {most}"), Some(figure <= most)),
            Target::AtLeast(least) => (format!(">= {least}"), Some(figure >= least)),
            Target::None => (String::from("-"), None),
        };
        let verdict = is_ok.map_or("", |ok| if ok { "ok" } else { "MISSED" });
        let shown = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), show);
        let ratio = floor.filter(|floor| *floor > 0.0).map(|floor| figure / floor);
        let (floor, ratio) = (shown(floor), shown(ratio));
        println!("{name:<46} {:>10} {floor:>10} {ratio:>7}  {unit:<12} {words:<12} {verdict}", show(figure));
        self.is_fine &= is_ok != Some(false);
    }

    /// Whether every target was met.
    pub fn is_fine(&self) -> bool {
        self.is_fine
    }
}

fn show(number: f64) -> String {
    match number {
        large if large >= 100.0 => format!("{large:.0}"),
        middle if middle >= 10.0 => format!("{middle:.1}"),
        small => format!("{small:.2}"),
    }
}
