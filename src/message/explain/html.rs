//! Explanations as a page for a browser, which needs nothing but itself.

use std::io::{self, Write};

use super::{Level, Page, Told};

/// How the page looks, on a screen by day and by night and on paper.
const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#888;--bad:#c22;--back:#8881}
body{font:15px/1.45 system-ui,sans-serif;max-width:64rem;margin:1.5rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0 0 1rem}
summary{cursor:pointer;font-weight:600;padding:.2rem 0}
summary small,caption small,.columns,.note{color:var(--soft);font-weight:400}
details{margin:.2rem 0}
details details{margin-left:.7rem;padding-left:.7rem;border-left:2px solid var(--line)}
.batch>summary{font-size:1.15rem;border-bottom:1px solid var(--line)}
table{border-collapse:collapse;width:100%;margin:.4rem 0 .9rem}
caption{text-align:left;font-weight:600;background:var(--back);padding:.2rem .5rem}
td{padding:.12rem .5rem;vertical-align:top;border-bottom:1px solid var(--line)}
td.columns{width:4rem}td.name{width:18rem}
.value,pre{font-family:ui-monospace,monospace;white-space:pre-wrap}
.note{font-size:.85em}
.trouble{color:var(--bad);font-weight:600}
@media print{body{max-width:none;font-size:11px}table{break-inside:avoid}}
";

/// A page of HTML that loads nothing from anywhere. Batches, blocks, transactions and groups can be
/// folded.
pub struct HtmlPage<W> {
    out: W,
    title: String,
}

impl<W: Write> HtmlPage<W> {
    /// A page with this title.
    pub fn new(out: W, title: &str) -> Self {
        Self { out, title: title.to_owned() }
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write> Page for HtmlPage<W> {
    fn begin(&mut self) -> io::Result<()> {
        let title = escaped(&self.title);
        writeln!(
            self.out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>"
        )
    }

    fn open(&mut self, level: Level, title: &str, aside: &str) -> io::Result<()> {
        let (title, aside) = (escaped(title), escaped(aside));
        let class = match level {
            Level::Batch => "batch",
            Level::Block => "block",
            Level::Transaction => "transaction",
            Level::Group => "group",
            Level::Record => {
                return writeln!(self.out, "<table><caption>{title} <small>{aside}</small></caption>");
            }
        };
        writeln!(
            self.out,
            "<details open class=\"{class}\"><summary>{title} <small>{aside}</small></summary>"
        )
    }

    fn field(&mut self, told: &Told<'_>) -> io::Result<()> {
        write!(
            self.out,
            "<tr><td class=\"columns\">{}</td><td class=\"name\">{}</td><td><span class=\"value\">{}</span>",
            escaped(&told.columns),
            escaped(told.name),
            escaped(&told.value)
        )?;
        if let Some(meaning) = told.meaning {
            write!(self.out, " {}", escaped(meaning))?;
        }
        if let Some(trouble) = told.trouble {
            write!(self.out, " <span class=\"trouble\">{}</span>", escaped(trouble))?;
        }
        if !told.note.is_empty() {
            write!(self.out, "<div class=\"note\">{}</div>", escaped(told.note))?;
        }
        writeln!(self.out, "</td></tr>")
    }

    fn trouble(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "<p class=\"trouble\">{}</p>", escaped(text))
    }

    fn plain(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "<tr><td class=\"value\">{}</td></tr>", escaped(text))
    }

    fn close(&mut self, level: Level) -> io::Result<()> {
        writeln!(self.out, "{}", if level == Level::Record { "</table>" } else { "</details>" })
    }

    fn end(&mut self) -> io::Result<()> {
        writeln!(self.out, "</body>\n</html>")?;
        self.out.flush()
    }
}

/// Text in which no character means anything to HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
