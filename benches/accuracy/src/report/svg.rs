//! The little of SVG that plots take: shapes and words, readable on light and dark pages.

use std::fmt::Write;

/// Colours of a light page, and of a dark one where the reader's is dark.
const STYLE: &str = "\
text{font:12px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#1f2328}
.page{fill:#ffffff}.head{font-weight:600}.note{fill:#59636e;font-size:11px}
.grid{stroke:#d1d9e0}.zero{stroke:#59636e}.goal{stroke:#bc4c00;stroke-width:2;stroke-dasharray:4 3}
.bar{fill:#0969da}.loss{fill:#bc4c00}.found{fill:#1a7f37}.half{fill:#9a6700}
.open{fill:none;stroke:#cf222e;stroke-width:1.5}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.page{fill:#0d1117}.note{fill:#9198a1}.grid{stroke:#3d444d}.zero{stroke:#9198a1}
.goal{stroke:#f0883e}.bar{fill:#4493f8}.loss{fill:#f0883e}.found{fill:#3fb950}.half{fill:#d29922}
.open{stroke:#f85149}}
";

/// Where words stand relative to their place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing that grows.
#[derive(Debug)]
pub(crate) struct Svg {
    width: f64,
    height: f64,
    title: String,
    style: &'static str,
    body: String,
}

impl Svg {
    /// An empty page; `title` is what is read out to those who cannot see it.
    pub(crate) fn new(width: f64, height: f64, title: &str) -> Self {
        Self { width, height, title: escaped(title), style: "", body: String::new() }
    }

    /// Adds classes to those that all plots have.
    pub(crate) fn with_style(mut self, style: &'static str) -> Self {
        self.style = style;
        self
    }

    pub(crate) fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) {
        let width = width.max(0.0);
        self.element(&format!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"/>"#
        ));
    }

    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.element(&format!(
            r#"<line class="{class}" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    pub(crate) fn path(&mut self, class: &str, d: &str) {
        self.element(&format!(r#"<path class="{class}" d="{d}"/>"#));
    }

    pub(crate) fn text(&mut self, class: &str, x: f64, y: f64, anchor: Anchor, words: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let words = escaped(words);
        self.element(&format!(
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{words}</text>"#
        ));
    }

    /// The whole file.
    pub(crate) fn finish(self) -> String {
        let Self { width, height, title, style, body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}{style}</style>\n\
             <rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"6\"/>\n{body}</svg>\n"
        )
    }

    fn element(&mut self, element: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{element}");
    }
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cannot_break_out_of_their_element() {
        let mut svg = Svg::new(10.0, 10.0, "a \"title\"");
        svg.text("note", 0.0, 0.0, Anchor::Start, "</text><script>&");
        let text = svg.finish();
        assert!(!text.contains("<script>") && text.contains("&lt;/text&gt;&lt;script&gt;&amp;"));
        assert!(text.contains("a &quot;title&quot;"));
    }
}
