/** The look that all pages share: calm on a screen, light or dark, and sharp on A4. */

export const PAGE_STYLE = `
:root { --ink: #1c2126; --soft: #5a646e; --line: #d3d9df; --wash: #f4f6f7; --paper: #fff; --desk: #e9ecee; --accent: #0b5d6b; --tint: #e3eff1; --bad: #a3221b; --bad-wash: #fbeeec; --good: #1d6b35; --good-wash: #ecf5ee; --warn: #7a5200; --warn-wash: #fbf4e4; }
* { box-sizing: border-box; }
html { font: 15px/1.5 "Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: var(--ink); background: var(--desk); }
body { max-width: 66rem; margin: 2rem auto; padding: 2.8rem 3.4rem 3rem; background: var(--paper); box-shadow: 0 1px 8px #0002; border-radius: 3px; }
h1, h2 { font-family: Charter, "Bitstream Charter", "Source Serif 4", Cambria, Georgia, "Liberation Serif", serif; font-weight: 700; }
h1 { font-size: 2rem; line-height: 1.15; margin: 0 0 .45rem; letter-spacing: -.01em; }
h2 { font-size: 1.28rem; margin: 2.6rem 0 .7rem; padding-bottom: .3rem; border-bottom: 1px solid var(--accent); }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p { margin: .4rem 0; } .soft { color: var(--soft); } .small { font-size: .86rem; }
code, pre, .hex { font: .84em/1.55 "JetBrains Mono", "DejaVu Sans Mono", Consolas, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid var(--line); }
th { font-size: .76rem; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); font-weight: 600; border-bottom: 1.5px solid var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.4rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.brand { float: right; border: 2px solid var(--bad); color: var(--bad); padding: .1rem .6rem; font-weight: 700; letter-spacing: .14em; }
.n { width: 2.6rem; text-align: right; font-variant-numeric: tabular-nums; }
.blank { min-width: 5.2rem; } td.box { width: 2.4rem; text-align: center; font-size: 1.25rem; line-height: 1; }
table.ink th, table.ink td { border: 1px solid var(--line); } .ink td { height: 2.7rem; }
.bad { color: var(--bad); } .good { color: var(--good); } .warn { color: var(--warn); }
footer { margin-top: 2.8rem; padding-top: .7rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .85rem; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e3e7ea; --soft: #9aa6b0; --line: #333c44; --wash: #20272d; --paper: #181d22; --desk: #101417; --accent: #5fb3c1; --tint: #1f3338; --bad: #f0867d; --bad-wash: #341d1b; --good: #7cc792; --good-wash: #182a1e; --warn: #e3b95e; --warn-wash: #2d2515; }
}
@media screen and (max-width: 46rem) { body { margin: 0; padding: 1.4rem 1.1rem; } dl { grid-template-columns: 1fr; } dt { margin-top: .4rem; } }
@media print {
  html { font-size: 9.8pt; background: none; } body { margin: 0; padding: 0; max-width: none; box-shadow: none; }
  h2 { margin-top: 1.6rem; } h2, h3 { break-after: avoid; } tr, figure, .keep { break-inside: avoid; } thead { display: table-header-group; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  @page { size: A4; margin: 16mm 14mm 18mm; }
}
`;

/** What paper scripts and reports have in common: they lie side by side in the same folder. */
export const SHEET_STYLE = `
.eyebrow { font-size: .78rem; letter-spacing: .12em; text-transform: uppercase; color: var(--accent); font-weight: 600; margin: 0 0 .5rem; }
.lead { font-size: 1.05rem; color: var(--soft); margin: 0 0 1.4rem; }
.words-line { font-family: Charter, "Bitstream Charter", Georgia, "Liberation Serif", serif; font-style: italic; font-size: .95rem; margin: .2rem 0 .5rem; }
`;
