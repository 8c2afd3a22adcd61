//! How the page looks: on a screen by day and by night, on a telephone and on paper.

use std::fmt::Write;

/// Fields of a record that can be lit; more than any record has.
pub(super) const LIT: usize = 48;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#777;--bad:#c22;--back:#8881;--lit:#fd08}
@media(prefers-color-scheme:dark){:root{--soft:#999;--bad:#f77;--lit:#fd05}}
body{font:15px/1.45 system-ui,sans-serif;max-width:68rem;margin:1.5rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:1.2rem 0 .4rem}
h1,h2,summary,td,p{overflow-wrap:anywhere}
.soft,summary small,.columns,.note{color:var(--soft);font-weight:400}
.bar{position:sticky;top:0;background:Canvas;padding:.5rem 0;z-index:1;display:flex;gap:1rem;flex-wrap:wrap}
.bar input[type=search]{flex:1;min-width:9rem;font:inherit}
summary{cursor:pointer;font-weight:600;padding:.2rem 0}
details{margin:.2rem 0}
details details,details .record{margin-left:.4rem;padding-left:.6rem;border-left:2px solid var(--line)}
.batch>summary{font-size:1.15rem;border-bottom:1px solid var(--line)}
.record{margin:.4rem 0 .9rem}.record>b{display:block}
pre{font:13px/1.3 ui-monospace,monospace;overflow-x:auto;background:var(--back);padding:.3rem .5rem;margin:.2rem 0}
table{border-collapse:collapse;width:100%}
td{padding:.12rem .5rem;vertical-align:top;border-bottom:1px solid var(--line)}
td.columns{width:4rem}td.name{width:18rem}
td.number{text-align:right;white-space:nowrap}
.value{font-family:ui-monospace,monospace;white-space:pre-wrap}
.note{font-size:.85em}body:not(:has(#notes:checked)) .note{display:none}
.trouble{color:var(--bad);font-weight:600}
.finding{border-left:3px solid var(--bad);padding-left:.6rem;margin:.5rem 0}
.finding.notice{border-color:var(--soft)}.finding p{margin:0}
:target{outline:2px solid var(--bad)}[hidden]{display:none!important}
@media(max-width:600px){body{padding:0 .5rem}td{padding:.1rem .3rem}
.fields tr{display:block;border-bottom:1px solid var(--line);padding:.15rem 0}
.fields td{display:inline;border:0;width:auto}.fields td.told{display:block}}
@media print{body{max-width:none;font-size:11px}.record{break-inside:avoid}.bar{display:none}}
";

/// The style sheet. A field is lit in the record while the pointer or the focus is on its row, and its row
/// while they are on its columns.
pub(super) fn style() -> String {
    let mut style = STYLE.to_owned();
    for field in 0..LIT {
        let lit = format!(".record:has(.f{field}:hover) .f{field},.record:has(.f{field}:focus) .f{field}");
        // Writing to a text does not fail.
        let _ = writeln!(style, "{lit}{{background:var(--lit)}}");
    }
    style
}

/// Hides what does not have the words that are looked for.
pub(super) const SCRIPT: &str = "\
const box=document.querySelector('[type=search]'),found=document.querySelector('#found');
box.oninput=()=>{const word=box.value.trim().toLowerCase();let shown=0;
for(const part of document.querySelectorAll('.finding,.index tr,.record')){
part.hidden=word!==''&&!part.textContent.toLowerCase().includes(word);shown+=!part.hidden}
for(const part of document.querySelectorAll('details.transaction,details.group'))
part.hidden=word!==''&&!part.querySelector('.record:not([hidden])');
found.textContent=word===''?'':shown+' found'};
";
