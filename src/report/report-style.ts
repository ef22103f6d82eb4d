/** The look of a report, beyond that of all pages. */

export const REPORT_STYLE = `
.panels { display: grid; grid-template-columns: 1fr 1fr; align-items: stretch; gap: 1rem; margin: 1.4rem 0 1rem; }
.panel { border: 1px solid var(--line); border-left: 6px solid var(--soft); padding: .9rem 1.2rem 1rem; background: var(--wash); border-radius: 3px; min-width: 0; overflow-wrap: anywhere; }
.panel h2, .panel-title { font: 600 .76rem/1.4 "Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, sans-serif; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); margin: 0; padding: 0; border: 0; }
.panel .word { font-size: 1.35rem; font-weight: 700; letter-spacing: .02em; line-height: 1.25; margin: .25rem 0 .3rem; }
.panel ul { margin: .4rem 0; padding-left: 1.1rem; } .panel li { margin: .15rem 0; }
.good-panel { border-left-color: var(--good); background: var(--good-wash); } .good-panel .word { color: var(--good); }
.bad-panel { border-left-color: var(--bad); background: var(--bad-wash); } .bad-panel .word, .problem { color: var(--bad); }
.warn-panel { border-left-color: var(--warn); background: var(--warn-wash); } .warn-panel .word { color: var(--warn); }
ul.checks { list-style: none; padding: 0; columns: 2; column-gap: 1.4rem; } ul.checks > li { break-inside: avoid; margin: 0; padding: .12rem 0; } .mark { display: inline-block; width: 1.1em; }
.bad-panel ul.checks { columns: 1; } .ok .mark { color: var(--good); } .wrong > .mark { color: var(--bad); } .problems { list-style: square; }
[data-self-check="broken"] #verdict > :not(h2, .word) { text-decoration: line-through; color: var(--soft); } [data-self-check="broken"] #verdict .mark { color: var(--soft); }
.panel ul.verified { list-style: none; padding: 0; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0; margin: 1rem 0 0; border: 1px solid var(--line); border-radius: 3px; }
.tiles div { padding: .7rem 1.1rem; border-left: 1px solid var(--line); } .tiles div:first-child { border-left: 0; }
.tiles b { display: block; font: 700 1.5rem/1.2 Charter, "Bitstream Charter", Georgia, "Liberation Serif", serif; } .tiles span { color: var(--soft); font-size: .84rem; }
nav { margin: 1.2rem 0 0; font-size: .86rem; } nav a { color: var(--accent); margin-right: 1.1rem; white-space: nowrap; text-decoration: none; } nav a:hover { text-decoration: underline; }
table.steps td { padding: .55rem .6rem; } .steps .id { font-weight: 600; } .steps .shown { margin: .3rem 0 0; padding: .25rem 0 .25rem .8rem; border-left: 2px solid var(--line); list-style: none; color: var(--soft); font-size: .86rem; overflow-wrap: anywhere; }
.refs, .entries { color: var(--soft); font-size: .82rem; } .entries { font-variant-numeric: tabular-nums; white-space: nowrap; }
.steps td.who { width: 12.5rem; } .steps td.when { width: 9.6rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.who div, .when div { white-space: nowrap; } .part { color: var(--soft); font-size: .84rem; }
.short, .time { white-space: nowrap; }
.chip { display: inline-block; padding: 0 .45rem; border: 1px solid currentColor; border-radius: 2px; font-size: .74rem; letter-spacing: .04em; line-height: 1.5; text-transform: uppercase; font-weight: 600; white-space: nowrap; }
.key { border: 1px solid var(--line); border-top: 3px solid var(--accent); border-radius: 3px; padding: .9rem 1.2rem 1rem; margin: 1rem 0; } .key h3 { font-size: 1.15rem; margin: 0 0 .3rem; }
.finger { font: 1rem/1.7 "JetBrains Mono", "DejaVu Sans Mono", Consolas, monospace; letter-spacing: .01em; margin: .2rem 0; overflow-wrap: anywhere; }
.attributes { columns: 2; column-gap: 2rem; margin: .5rem 0; padding: 0; list-style: none; font-size: .8rem; } .attributes li { display: flex; justify-content: space-between; gap: .8rem; border-bottom: 1px dotted var(--line); break-inside: avoid; } .attributes b { font-weight: 400; text-align: right; overflow-wrap: anywhere; }
figure { margin: .8rem 0 1.2rem; } figcaption { color: var(--soft); font-size: .85rem; margin-top: .4rem; }
svg { display: block; max-width: 100%; height: auto; font: 13px "Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, sans-serif; } svg text { fill: var(--ink); } svg .faint { fill: var(--soft); font-size: 11.5px; } svg .strong { font-weight: 600; }
.picture { width: 100%; } .card-box { fill: var(--paper); stroke: var(--line); stroke-width: 1.2; } .card-head { fill: var(--tint); } .band { fill: var(--wash); } .flow { fill: none; stroke: var(--accent); stroke-width: 1.4; opacity: .55; } .dot { fill: var(--accent); } .ring { fill: var(--paper); stroke: var(--accent); stroke-width: 1.6; } .filled { fill: var(--accent); } svg .on-dot { fill: var(--paper); font-weight: 600; font-size: 11px; } svg .on-ring { font-weight: 600; font-size: 11px; }
.lane { fill: var(--wash); } .grid { stroke: var(--line); } .machine { fill: var(--accent); } .people-bar { fill: url(#hatch); stroke: var(--accent); } .hatch-ground { fill: var(--paper); } .hatch-line { stroke: var(--accent); stroke-width: 2.4; } .failed { fill: var(--bad); }
.quorums { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; } .quorums figure { border: 1px solid var(--line); border-radius: 3px; padding: .8rem 1rem; margin: 0; }
.head { display: grid; grid-template-columns: 1fr 11.5rem; gap: 2rem; align-items: start; } .qr { width: 11.5rem; background: #fff; padding: .5rem; border: 1px solid var(--line); } .qr path { fill: #000; }
pre { background: var(--wash); border: 1px solid var(--line); border-radius: 3px; padding: .7rem .9rem; margin: .5rem 0; white-space: pre-wrap; }
.sign td:nth-child(3) { width: 19rem; } .sign td:first-child { min-width: 9rem; } .sign td { height: 3.1rem; vertical-align: bottom; } .sign td:first-child { vertical-align: middle; } .choices { margin: .8rem 0; } .choices div { margin: .35rem 0; }
.deviations li { margin: .35rem 0; } ul.plain { padding-left: 1.2rem; margin: .3rem 0; }
@media screen and (max-width: 46rem) { .panels, .quorums, .head { grid-template-columns: 1fr; } .tiles { grid-template-columns: 1fr 1fr; } ul.checks, .attributes { columns: 1; } .steps td.who, .steps td.when { width: auto; } }
@media print { nav, footer { display: none; } .panels { break-inside: avoid; } .key { break-inside: auto; } h1 { font-size: 1.8rem; } .ending { break-before: page; } .hex { font-size: .76em; } .sign td { height: 2.6rem; } }
`;
